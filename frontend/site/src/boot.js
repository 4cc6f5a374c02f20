// Wakes the islands that the server rendered, each by the function that bears its name, from the outside in.
import * as lucid from "./LUCID_JS";

await lucid.default({ module_or_path: new URL("./LUCID_WASM", import.meta.url) });
lucid.hydrate();
async function wakeIn(region) {
  for (const island of region.querySelectorAll("leptos-island")) {
    const wake = lucid[island.dataset.component];
    if (wake) await wake(island);
    else console.warn(`no island ${island.dataset.component}: page and wasm are of different builds`);
  }
}
await wakeIn(document);
// What the desk put in place of what was there sleeps until it is woken, too.
document.addEventListener("lucid:swapped", (event) => wakeIn(event.target));
document.documentElement.setAttribute("data-islands", "awake");

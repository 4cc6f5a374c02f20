// Wakes the islands that the server rendered, each by the function that bears its name, from the outside in.
import * as lucid from "./LUCID_JS";

await lucid.default({ module_or_path: new URL("./LUCID_WASM", import.meta.url) });
lucid.hydrate();
for (const island of document.querySelectorAll("leptos-island")) {
  const wake = lucid[island.dataset.component];
  if (wake) await wake(island);
  else console.warn(`no island ${island.dataset.component}: page and wasm are of different builds`);
}
document.documentElement.setAttribute("data-islands", "awake");

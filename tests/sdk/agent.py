"""An agent's way with the official SDK: `record` makes a store, records sessions and dreams; `brief` begins the next session.

Each prints one JSON object. Where Lucid is and the key come from the environment: LUCID_URL, LUCID_KEY.
"""

import hashlib
import json
import os
import sys
import time

import anthropic

client = anthropic.Anthropic(base_url=os.environ["LUCID_URL"], api_key=os.environ["LUCID_KEY"], max_retries=0)


def refused(kind, status, do):
    """The call is refused with this type, and nothing else."""
    try:
        do()
    except anthropic.APIStatusError as error:
        assert error.status_code == status, (error.status_code, error.body)
        assert error.body["type"] == "error" and error.body["error"]["type"] == kind, error.body
        assert error.body["error"]["message"], error.body
        return
    raise AssertionError(f"this should be refused as {kind}")


def stores_and_memories(store):
    """Every call on stores and memories that the SDK has and Lucid answers."""
    stores = client.beta.memory_stores
    assert stores.retrieve(store.id).name == "Bookings"
    changed = stores.update(store.id, description="What the booking agents know", metadata={"team": "air"})
    assert (changed.description, changed.metadata) == ("What the booking agents know", {"team": "air"})
    assert [s.id for s in stores.list()] == [store.id]
    memories = stores.memories
    content = "Prices are shown with tax.\n"
    made = memories.create(store.id, path="/notes/prices.md", content=content)
    assert made.content_sha256 == hashlib.sha256(content.encode()).hexdigest()
    assert made.content_size_bytes == len(content.encode()) and made.content is None
    read = memories.retrieve(made.id, memory_store_id=store.id)
    assert read.content == content and read.created_at.tzinfo is not None
    refused("conflict_error", 409, lambda: memories.create(store.id, path="/notes/prices.md", content="x"))
    refused("invalid_request_error", 400, lambda: memories.create(store.id, path="no slash", content="x"))
    refused("invalid_request_error", 400, lambda: memories.create(store.id, path="/nul", content="a\0b"))
    wrong = {"type": "content_sha256", "content_sha256": "0" * 64}
    refused("conflict_error", 409, lambda: memories.update(made.id, memory_store_id=store.id, content="y", precondition=wrong))
    right = {"type": "content_sha256", "content_sha256": made.content_sha256}
    moved = memories.update(made.id, memory_store_id=store.id, path="/prices.md", precondition=right, view="full")
    assert (moved.id, moved.path) == (made.id, "/prices.md")
    for n in range(5):
        memories.create(store.id, path=f"/deep/er/{n}.md", content=f"{n}")
    assert len(list(memories.list(store.id, limit=2))) == 6, "pages follow each other"
    top = list(memories.list(store.id, depth=1))
    assert [(i.type, i.path) for i in top] == [("memory_prefix", "/deep/"), ("memory", "/prices.md")], top
    for item in list(memories.list(store.id, path_prefix="/deep/")):
        assert memories.delete(item.id, memory_store_id=store.id).type == "memory_deleted"
    other = stores.create(name="For a moment")
    assert stores.delete(other.id).type == "memory_store_deleted"
    refused("not_found_error", 404, lambda: stores.retrieve(other.id))
    refused("not_found_error", 404, lambda: memories.retrieve(made.id, memory_store_id="memstore_" + "0" * 32))


def session(store, number):
    """A session in which a tool fails, and works with another argument."""
    made = client.beta.sessions.create(
        agent="booking",
        environment_id="env_test",
        title=f"Booking {number}",
        metadata={"subject": f"customer-{number}", "task_key": f"task-{number}"},
        resources=[{"type": "memory_store", "memory_store_id": store}],
    )
    assert made.status == "idle" and made.resources[0].memory_store_id == store

    def call(n, seats):
        return {"type": "agent.tool_use", "id": f"c{n}", "name": "book", "input": {"seats": seats}}

    def said(n, text, is_error):
        return {"type": "agent.tool_result", "id": f"r{n}", "tool_use_id": f"c{n}", "is_error": is_error, "content": [{"type": "text", "text": text}]}

    events = [
        {"type": "user.message", "id": "u1", "content": [{"type": "text", "text": "Book it"}]},
        call(1, 9),
        said(1, f"Error: not enough seats on flight H{number}", True),
        call(2, 1),
        said(2, "booked", False),
    ]
    sent = client.beta.sessions.events.send(made.id, events=events)
    assert len(sent.data) == 5 and sent.data[0].id.startswith("sevt_")
    again = client.beta.sessions.events.send(made.id, events=events[:1])
    assert again.data[0].id == sent.data[0].id, "an event that is there already is not appended again"
    outcome = {"result": "success", "score": 1, "note": None}
    client.post(f"/v1/sessions/{made.id}/outcome", body=outcome, cast_to=object)
    assert client.beta.sessions.retrieve(made.id).metadata["task_key"] == f"task-{number}"
    return made.id


def record():
    store = client.beta.memory_stores.create(name="Bookings")
    stores_and_memories(store)
    sessions = [session(store.id, n) for n in range(1, 4)]
    asked = {
        "inputs": [{"type": "memory_store", "memory_store_id": store.id}, {"type": "sessions", "session_ids": sessions}],
        "output_behavior": {"type": "update_existing", "memory_store_id": store.id},
    }
    refused("invalid_request_error", 400, lambda: client.beta.dreams.create(model="another-model", **asked))
    refused("invalid_request_error", 400, lambda: client.beta.dreams.create(model="builtin", inputs=asked["inputs"]))
    dream = client.beta.dreams.create(model="builtin", **asked)
    for _ in range(200):
        dream = client.beta.dreams.retrieve(dream.id)
        if dream.status not in ("pending", "running"):
            break
        time.sleep(0.1)
    assert dream.status == "completed" and dream.error is None, dream
    assert dream.outputs[0].memory_store_id == store.id
    return {"store": store.id, "changeset": dream.changeset_id}


def brief(store):
    """The next session: it begins with its briefing."""
    made = client.beta.sessions.create(
        agent="booking", environment_id="env_test", resources=[{"type": "memory_store", "memory_store_id": store}]
    )
    query = {"session_id": made.id, "agent": "booking", "budget_tokens": 2000}
    briefing = client.get(f"/v1/memory_stores/{store}/briefing", cast_to=object, options={"params": query})
    about = {"tool": "book", "error": "Error: not enough seats on flight H77"}
    known = client.get(f"/v1/memory_stores/{store}/briefing", cast_to=object, options={"params": about})
    contents = {m.path: m.content for m in client.beta.memory_stores.memories.list(store, view="full")}
    return {"briefing": briefing, "known": known, "contents": contents}


if __name__ == "__main__":
    print(json.dumps(record() if sys.argv[1] == "record" else brief(sys.argv[2])))

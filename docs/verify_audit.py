#!/usr/bin/env python3
"""Checks an export of Lucid's audit trail offline, with nothing but Python's standard library (3.9 or newer).

    python3 verify_audit.py EXPORT.jsonl [--checkpoint FILE]... [--public-key HEX]

Exit code 0 if the trail holds, 1 if not. Written from docs/audit.md alone, so that nobody has to trust Lucid's own verifier.
"""

import argparse
import hashlib
import json
import sys

# Ed25519, after RFC 8032, section 6: slow and plain. Nothing here is secret, so that time tells nothing.
P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def add(a, b):
    x1, y1, z1, t1 = a
    x2, y2, z2, t2 = b
    s, r, c, d = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P, 2 * t1 * t2 * D % P, 2 * z1 * z2 % P
    e, f, g, h = r - s, d - c, d + c, r + s
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(n, point):
    out = (0, 1, 1, 0)
    while n:
        if n & 1:
            out = add(out, point)
        point, n = add(point, point), n >> 1
    return out


def point(data):
    if len(data) != 32:
        return None
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE = point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def same(a, b):
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def signed(key, message, signature):
    """Whether a signature (hexadecimal) of a key (hexadecimal) is one of these bytes."""
    try:
        key, signature = bytes.fromhex(key), bytes.fromhex(signature)
    except ValueError:
        return False
    a, r, s = point(key), point(signature[:32]), int.from_bytes(signature[32:], "little")
    # A key or a first half of small order signs anything.
    weak = any(p is None or same(times(8, p), (0, 1, 1, 0)) for p in (a, r))
    if weak or len(signature) != 64 or s >= Q:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % Q
    return same(times(s, BASE), add(r, times(h, a)))


class Broken(Exception):
    pass


def fail(text):
    raise Broken(text)


def sha(data):
    return hashlib.sha256(data).digest()


def sized(text):
    data = (text or "").encode()
    return len(data).to_bytes(8, "big") + data


def number(n):
    return n.to_bytes(8, "big", signed=True)


def entry_hash(e):
    rows = e.get("rows")
    data = (b"lucid.audit.v1" if rows is None else b"lucid.audit.v2") + number(e["seq"]) + number(e["at"])
    data += sized(e["actor"]) + sized(e["action"]) + sized(e["subject"])
    if rows is not None:
        data += sized(e.get("store")) + sized(e.get("commit")) + sha(rows.encode())
    return sha(data + bytes.fromhex(e["commitment"]) + bytes.fromhex(e["prev"])).hex()


def check_signature(c, kind=b"checkpoint"):
    message = b"lucid audit " + kind + b" v1\0" + number(c["size"]) + number(c["at"]) + bytes.fromhex(c["head"])
    if not signed(c["public_key"], message, c["signature"]):
        fail(f"the signature of the checkpoint at {c['size']} does not hold")


def strict(text):
    """JSON whose objects name no member twice."""

    def members(pairs):
        if len({name for name, _ in pairs}) != len(pairs):
            fail("a line names something twice")
        return dict(pairs)

    return json.loads(text, object_pairs_hook=members)


class Trail:
    def __init__(self, kept, trusted):
        self.seq, self.hash, self.window, self.since, self.ended = 0, "00" * 32, False, None, None
        self.kept, self.trusted = sorted(kept, key=lambda c: c["size"]), [trusted.lower()] if trusted else []
        self.signers, self.erased, self.earlier, self.rows, self.found = set(), set(), hashlib.sha256(), {}, []
        for c in self.kept:
            check_signature(c)

    def line(self, line):
        kind = line["type"]
        if self.ended is not None:
            fail(f"the trail ends at entry {line.get('seq')}, but its head says {self.ended}: entries were added")
        if kind == "window":
            if self.seq or self.window or line["after"] < 1:
                fail(f"after entry {self.seq} comes entry {line['after'] + 1}: entries were reordered, or inserted")
            self.seq, self.hash, self.window = line["after"], line["hash"], True
            while self.kept and self.kept[0]["size"] <= self.seq:
                c = self.kept.pop(0)
                if c["size"] < self.seq:
                    fail(f"the checkpoint at {c['size']} is of entries before this window: it says nothing of it")
                self.trust(c)
                self.covers(c)
        elif kind == "entry":
            self.entry(line)
        elif kind == "checkpoint":
            self.checkpoint(line)
        elif kind == "head":
            self.head(line)
        else:
            fail(f"{kind!r} is not a line of an export")

    def checkpoint(self, c, kind=b"checkpoint"):
        check_signature(c, kind)
        self.trust(c)
        if c["size"] != self.seq:
            fail(f"a checkpoint covers {c['size']} entries, but the trail has only {self.seq}: its end was cut off")
        self.covers(c)

    def trust(self, c):
        if self.trusted and c["public_key"] not in self.trusted:
            fail(f"the checkpoint at {c['size']} was signed with the key {c['public_key']}, not with {self.trusted[0]}")

    def covers(self, c):
        if c["head"] != self.hash:
            fail(f"entry {c['size']} has the hash {self.hash}, but was signed with {c['head']}: the trail was changed after the checkpoint")

    def entry(self, e):
        seq = e["seq"]
        if seq != self.seq + 1:
            if self.seq == 0 and seq > 1 and not self.window:
                fail(f"the trail begins with entry {seq}: its front was cut off")
            what = "what was between was removed" if seq > self.seq else "entries were reordered, or inserted"
            fail(f"after entry {self.seq} comes entry {seq}: {what}")
        if entry_hash(e) != e["hash"]:
            fail(f"entry {seq} was changed: its fields do not give its hash")
        if e["prev"] != self.hash:
            fail(f"entry {seq} does not follow from entry {seq - 1}: one of them was replaced")
        if e.get("payload") is None:
            self.erased.add(seq)
        elif sha(len(bytes.fromhex(e["salt"])).to_bytes(8, "big") + bytes.fromhex(e["salt"]) + e["payload"].encode()).hex() != e["commitment"]:
            fail(f"the payload of entry {seq} was changed")
        self.bind(e)
        self.seq, self.hash = seq, e["hash"]
        while self.kept and self.kept[0]["size"] <= seq:
            self.trust(self.kept[0])
            self.covers(self.kept.pop(0))

    def bind(self, e):
        seq = e["seq"]
        if e.get("rows") is None:
            self.earlier.update(number(seq) + sized(e.get("store")) + sized(e.get("commit")))
            if self.since is not None:
                fail(f"entry {seq} binds no rows, though entries before it do: it was replaced")
            return
        self.since = self.since or seq
        rows = strict(e["rows"])
        if sum(table == "signing_key" for table, *_ in rows) > 1:
            self.no_word(seq)
        for table, key, value, before in rows:
            if table == "erased_payload":
                if int(key) < seq:
                    self.erased.discard(int(key))
            elif table == "signing_key":
                self.name_key(seq, key, value)
            elif table == "earlier_entries":
                if self.since != seq:
                    fail(f"entry {seq} binds all rows anew, as only the first may: what was changed before it is not to be told")
                if not self.window and value != self.earlier.hexdigest():
                    fail(f"the store or commit of an entry before {seq} was changed")
            else:
                known = self.rows.get((table, key))
                if self.since != seq and known != before and not (self.window and known is None):
                    self.found.append(f"{table} {key} was changed past the trail before entry {seq} wrote it anew")
                self.rows[table, key] = value

    def no_word(self, seq):
        fail(f"entry {seq} names another signing key without the word of the key before: from there on the trail was written by somebody else")

    def name_key(self, seq, key, word):
        message = b"lucid audit key v1\0" + key.encode()
        if word is None:
            self.no_word(seq)
        if word == "lost":
            if self.trusted:
                fail(f"from entry {seq} on another key signs, because the one before was said to be lost: the key that you trust does not vouch for it")
            print(f"WARNING: from entry {seq} on another key signs; the one before was said to be lost")
        elif not self.window and self.signers and not any(signed(old, message, word) for old in self.signers):
            self.no_word(seq)
        if any(signed(old, message, word) for old in self.trusted):
            self.trusted.append(key)
        self.signers = {key}

    def head(self, head):
        if self.found:
            fail("\n".join(self.found))
        if self.kept:
            fail(f"a checkpoint covers {self.kept[0]['size']} entries, but the trail has only {self.seq}: its end was cut off")
        if (head["seq"], head["hash"]) != (self.seq, self.hash):
            cut = "its end was cut off" if head["seq"] > self.seq else "entries were added"
            fail(f"the trail ends at entry {self.seq}, but its head says {head['seq']}: {cut}")
        if self.erased:
            fail(f"the payload of entry {min(self.erased)} was removed, and no entry says that it was erased")
        end = head.get("signed")
        if end:
            self.checkpoint(end, b"head")
        if (end and not self.window and end["public_key"] not in self.signers) or (not end and (self.signers or self.trusted)):
            fail(f"the trail is signed, but not up to its end at entry {self.seq}: entries were added or replaced without the key")
        self.ended = self.seq


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument("export")
    args.add_argument("--checkpoint", action="append", default=[])
    args.add_argument("--public-key")
    args = args.parse_args()
    try:
        trail = Trail([json.load(open(file, encoding="utf-8")) for file in args.checkpoint], args.public_key)
        for line in open(args.export, encoding="utf-8", newline="\n"):
            trail.line(strict(line))
        if trail.ended is None:
            fail("its last line, the head, is missing: the end may have been cut off")
    except Broken as broken:
        print(f"the audit trail does NOT verify: {broken}")
        return 1
    window = "a window of the trail: it verifies up to entry" if trail.window else "verified to entry"
    print(f"{window} {trail.ended}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

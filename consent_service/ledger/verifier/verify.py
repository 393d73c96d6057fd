"""Check an evidence bundle or a visitor's receipt of consent-service, offline, with Python's standard library alone.

Call it so:  python3 verify.py FILE --key KEY [--key OLDER_KEY] [--checkpoint FILE [--consistency FILE]]
KEY is the log's verifier key, `name+hash+base64`, from a source you trust: never from the file that is checked.
Exit code 0: everything holds; 1: rejected, and why; 2: wrong usage. docs/evidence.md describes the formats."""
from __future__ import annotations
import argparse, hashlib, hmac, json, re, struct, sys
from binascii import a2b_base64, b2a_base64, crc32
from typing import NoReturn
MAX_BYTES, MAX_MEMBERS = 64 << 20, 100
ALWAYS = "README.txt checkpoint consent-record.jsonld policy.json record.json record.tlog-proof salt.hex verify.html"
NOTE = re.compile(r"(([^\n]+)\n(0|[1-9][0-9]{0,14})\n([^\n]+)\n((?:[^\n]+\n)*))\n((?:— [^ \n]+ [^ \n]+\n)+)")
PROOF = re.compile(r"c2sp\.org/tlog-proof@v1\nindex (0|[1-9][0-9]{0,14})\n((?:[^\n]+\n)*)\n")
P, ORDER = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D, ROOT_OF_MINUS_1 = -121665 * pow(121666, P - 2, P) % P, pow(2, (P - 1) // 4, P)

class Rejected(Exception): """Say why what was given proves nothing."""
def reject(reason: str) -> NoReturn: raise Rejected(reason)
def sha256(data: bytes) -> bytes: return hashlib.sha256(data).digest()
def unhex(text: str) -> bytes:
    return bytes.fromhex(text) if re.fullmatch("[0-9a-f]*", text) else reject("what should be hexadecimal is not")
def unbase64(text: str) -> bytes:
    is_one_way = b2a_base64(data := a2b_base64(text), newline=False).decode() == text
    return data if is_one_way else reject("base64 is not written the one way")
def read_hashes(text: str) -> list[bytes]:
    *lines, end = text.split("\n")
    return reject("a list of hashes is cut off") if end else [unbase64(line) for line in lines]

def decode_point(data: bytes) -> tuple[int, int]:
    sign, y = divmod(int.from_bytes(data, "little"), 1 << 255)
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * v**3 * pow(u * v**7, (P - 5) // 8, P) % P
    x = x if (v * x * x - u) % P == 0 else x * ROOT_OF_MINUS_1 % P
    if y >= P or sign > 1 or (v * x * x - u) % P or (x == 0 and sign):
        reject("the key is not a point of the curve")
    return (x if x & 1 == sign else P - x), y
def add_points(p: tuple[int, int], q: tuple[int, int]) -> tuple[int, int]:
    k = D * p[0] * q[0] * p[1] * q[1] % P
    x, y = (p[0] * q[1] + q[0] * p[1]) * pow(1 + k, -1, P), (p[1] * q[1] + p[0] * q[0]) * pow(1 - k, -1, P)
    return x % P, y % P
def ed25519_holds(key: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether a signature holds (RFC 8032, 5.1.7); numbers and points that are not canonical never do."""
    (x, y), base, total = decode_point(key), decode_point(bytes([0x58] + [0x66] * 31)), (0, 1)
    s = int.from_bytes(signature[32:], "little")
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % ORDER
    for bit in range(252, -1, -1) if s < ORDER and len(signature) == 64 else reject("the signature is not one"):
        total = add_points(total, total)
        total = add_points(total, base) if s >> bit & 1 else total
        total = add_points(total, (P - x, y)) if k >> bit & 1 else total
    return (total[1] | (total[0] & 1) << 255).to_bytes(32, "little") == signature[:32]
def read_key(text: str) -> tuple[str, bytes, bytes]:
    name, number, encoded = (text.strip().split("+", 2) + ["", ""])[:3]
    key = unbase64(encoded)
    if len(key) != 33 or key[0] != 1 or sha256(name.encode() + b"\n" + key)[:4].hex() != number:
        reject("the key is not an Ed25519 verifier key, name+hash+base64")
    return name, key[1:], bytes.fromhex(number)
def open_note(note: bytes, keys: list[str], are_all_known: bool = False) -> tuple[int, bytes, str]:
    """Give size, root and extension lines of a checkpoint that a given key signed (C2SP signed-note)."""
    found = NOTE.fullmatch(note.decode()) or reject("the checkpoint is not a signed note")
    body, origin, size, root, extensions, signatures = found.groups()
    lines, held = [line.split(" ") for line in signatures.split("\n")[:-1]], 0
    for _, signer, encoded in lines:
        signature = unbase64(encoded)
        for name, key, number in {*map(read_key, keys)}:
            if name == signer == origin and signature[:4] == number:
                held += ed25519_holds(key, body.encode(), signature[4:]) or reject("the checkpoint's signature is bad")
    if not held or (are_all_known and held != len(lines)) or len(unbase64(root)) != 32:
        reject("the checkpoint is not signed by the given key")
    return int(size), unbase64(root), extensions
def walk(node: int, last: int, start: bytes, path: list[bytes]) -> tuple[bytes, bytes]:
    """Give the roots of the old and the new tree that a proof leads to (RFC 9162, 2.1.3.2 and 2.1.4.2)."""
    old = new = start
    for sibling in path:
        if not last or len(sibling) != 32:
            reject("a proof is too long")
        if node & 1 or node == last:
            old, new = sha256(b"\1" + sibling + old), sha256(b"\1" + sibling + new)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            new = sha256(b"\1" + new + sibling)
        node, last = node >> 1, last >> 1
    return (old, new) if not last else reject("a proof is too short")
def check_inclusion(index: int, head: tuple[int, bytes, str], salt: bytes, record: bytes, path: list[bytes]) -> None:
    leaf = sha256(b"\0" + hmac.new(salt, record, "sha256").digest())
    if len(salt) != 32 or not 0 <= index < head[0] or walk(index, head[0] - 1, leaf, path)[1] != head[1]:
        reject("a proof does not lead from the record to the checkpoint")
def check_growth(old: tuple[int, bytes, str], new: tuple[int, bytes, str], path: list[bytes]) -> None:
    hashes = path if old[0] & (old[0] - 1) else [old[1], *path]
    node, last = old[0] - 1, new[0] - 1
    while old[0] and node & 1:
        node, last = node >> 1, last >> 1
    is_same = not path and old[1] == new[1] if old[0] == new[0] else not old[0]
    if not is_same and (old[0] >= new[0] or walk(node, last, hashes[0], hashes[1:]) != (old[1], new[1])):
        reject("two checkpoints are not of one history: one of them was rewritten")

def write_zip(members: dict[str, bytes]) -> bytes:
    """Write members the one way a bundle is written: sorted, stored, without times, comments or extra fields."""
    body, directory, n = bytearray(), bytearray(), len(members)
    for name, data in sorted(members.items()):
        fields = struct.pack("<5H3I2H", 20, 0, 0, 0, 33, crc32(data), len(data), len(data), len(name), 0)
        directory += b"PK\1\2\x14\3" + fields + struct.pack("<3H2I", 0, 0, 0, 0o100644 << 16, len(body)) + name.encode()
        body += b"PK\3\4" + fields + name.encode() + data
    return bytes(body + directory) + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, n, n, len(directory), len(body), 0)
def read_zip(data: bytes) -> dict[str, bytes]:
    """Give a bundle's members; a zip file that could be read in two ways is not the one that `write_zip` writes."""
    members: dict[str, bytes] = {}
    at = 0
    while data[at : at + 4] == b"PK\3\4" and len(data) >= at + 30 and len(members) <= MAX_MEMBERS:
        size, length = struct.unpack("<IH", data[at + 22 : at + 28])
        start = at + 30 + length
        members[data[at + 30 : start].decode("ascii")] = data[start : start + size]
        at = start + size
    return members if write_zip(members) == data else reject("the zip file is not written as bundles are")
def manifest(members: dict[str, bytes]) -> str:
    """List hash and name of each member but those that hold, or follow from, the checkpoint that signs the list."""
    listed = sorted(name for name in members if not re.fullmatch(r"checkpoint|.*\.tlog-proof|.*\.consistency", name))
    return "".join(f"{sha256(members[name]).hex()}  {name}\n" for name in listed)

def check_bundle(data: bytes, keys: list[str]) -> tuple[list[tuple[int, bytes, str]], list[str]]:
    """Check every member of a bundle; gives the checkpoints in it, its own first, and what they prove."""
    members = read_zip(data)
    record, stems = json.loads(members["record.json"]), [name[:-11] for name in members if name[-11:] == ".entry.json"]
    files = {stem: f"{stem}{'.json' if stem == 'notice' else '.png'}" for stem in stems}
    expected = {*ALWAYS.split(), "verify.py", *files.values(), *(["notice.json"] if record["notice"] else [])}
    expected |= {stem + end for stem in stems for end in (".entry.json", ".salt.hex", ".tlog-proof")}
    if "anchor.checkpoint" in members:
        expected |= {"anchor.checkpoint", "anchor.consistency", *({"anchor.tsr"} & members.keys())}
    if members.keys() != expected or not all(re.fullmatch("notice|screenshot-[1-9][0-9]?", stem) for stem in stems):
        reject(f"members are missing or do not belong here: {' '.join(sorted(members.keys() ^ expected))}")
    head, lines = open_note(members["checkpoint"], keys, True), []
    hashes = {name: sha256(members[name]).hex() for name in members}
    if f"bundle sha256:{sha256(manifest(members).encode()).hex()}" not in head[2].split("\n"):
        reject("a member is not the one that was signed")
    if (hashes.get("notice.json"), hashes["policy.json"]) != (record["notice"], record["policy_hash"]):
        reject("the notice or the policy is not the one that the record names")
    for stem in [*stems, "record"]:
        entry, salt = (f"{stem}.entry.json", f"{stem}.salt.hex") if stem in files else ("record.json", "salt.hex")
        proof = PROOF.match(members[f"{stem}.tlog-proof"].decode()) or reject("a proof is not a C2SP tlog-proof")
        key = unhex(members[salt].decode())
        check_inclusion(int(proof[1]), head, key, members[entry], read_hashes(proof[2]))
        said, file = {*map(str, json.loads(members[entry]).values())}, files.get(stem, entry)
        is_named = stem == "record" or {hashes[file], record["notice"]} <= said
        if proof.string != proof[0] + members["checkpoint"].decode() or not is_named:
            reject(f"{entry} or its proof is not of this bundle")
        lines.append(f"{file}: unchanged, entry {proof[1]} of {head[0]} in the log that was signed")
    if "anchor.checkpoint" not in members:
        return [head], [*lines, "NOT proven: when; the bundle has no anchored checkpoint"]
    anchor, token = open_note(members["anchor.checkpoint"], keys), members.get("anchor.tsr")
    check_growth(anchor, head, read_hashes(members["anchor.consistency"].decode()))
    if token is not None and bytes.fromhex(hashes["anchor.checkpoint"]) not in token:
        reject("the time stamp is of something else")
    lines.append(f"anchor.checkpoint: the same log {'with' if int(proof[1]) < anchor[0] else 'BEFORE'} the record")
    how = "openssl ts -verify -in anchor.tsr -data anchor.checkpoint -CAfile TSA.pem" if token else "ask who has it"
    return [head, anchor], [*lines, f"NOT proven here: the anchor's time; {how}"]

def check_receipt(data: bytes, keys: list[str]) -> tuple[list[tuple[int, bytes, str]], list[str]]:
    """Check the records in a visitor's receipt; the description around them is not signed."""
    receipt, lines = json.loads(data), []
    head = open_note((receipt["checkpoint"] or reject("the log had signed nothing yet: get it again")).encode(), keys)
    for each in receipt["decisions"]:
        record, path = unbase64(each["record"]), [unhex(one) for one in each["hashes"] or []]
        if each["hashes"] is not None:
            check_inclusion(each["leaf_index"], head, unhex(each["salt"]), record, path)
        lines.append(f"{'NOT yet in' if each['hashes'] is None else 'unchanged, in'} the log: {record.decode()}")
    return [head], lines

def verify(data: bytes, keys: list[str], checkpoint: bytes = b"", growth: bytes = b"") -> list[str]:
    """Give what is proven and what is not, line by line; raises Rejected."""
    try:
        heads, lines = (check_bundle if data[:2] == b"PK" else check_receipt)(data[:MAX_BYTES], keys)
        if checkpoint:
            other = open_note(checkpoint, keys)
            mine = next((head for head in heads if head[0] == other[0]), heads[0])
            old, new = sorted((other, mine), key=lambda head: head[0])
            if old[0] != new[0] and not growth:
                reject(f"--checkpoint needs --consistency: /v1/ledger/consistency?from={old[0]}&to={new[0]}")
            check_growth(old, new, [unhex(one) for one in json.loads(growth)["hashes"]] if growth else [])
            lines.append("the given checkpoint and this one are of one history")
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        raise Rejected(f"it is not written as it should be ({error!r})") from error
    lines += [] if checkpoint else ["NOT proven: that nobody was shown another history; give a --checkpoint"]
    return [*lines, "NOT proven: that a human clicked, or that what the record says was true"]

def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--key", action="append", required=True)
    for name in ("file", "--checkpoint", "--consistency"):
        parser.add_argument(name)
    asked = parser.parse_args()
    try:
        files = [open(x, "rb").read(MAX_BYTES) if x else b"" for x in (asked.file, asked.checkpoint, asked.consistency)]
        print(*verify(files[0], asked.key, *files[1:]), "OK", sep="\n")
    except (OSError, Rejected) as error:
        print(f"REJECTED: {error}" if isinstance(error, Rejected) else error, file=sys.stderr)
        return 1 if isinstance(error, Rejected) else 2
    return 0

if __name__ == "__main__":
    sys.exit(main())

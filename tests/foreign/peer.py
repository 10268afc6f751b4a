"""The lines by which a test speaks with a foreign security mechanism, on standard input and output.

    step HEX           more HEX | done HEX | refused WHY       a token in, a token out
    sign HEX           SIGNATURE
    seal HEX           SIGNATURE SEALED
    check SIGNATURE HEX    good | bad
    open SIGNATURE SEALED  HEX | bad
    key                KEY FLAGS                               what a session is made of, where the mechanism tells
"""

import sys


class Refused(Exception):
    """The mechanism does not go on."""


def octets(text):
    return bytes.fromhex("" if text == "-" else text)


def text(octets):
    return octets.hex() or "-"


def answer(peer, words):
    verb, args = words[0], [octets(word) for word in words[1:]]
    if verb == "step":
        try:
            done, token = peer.step(*args)
        except Refused as why:
            return "refused " + " ".join(str(why).split())
        return ("done " if done else "more ") + text(token)
    if verb == "check":
        return "good" if peer.check(*args) else "bad"
    if verb == "open":
        plain = peer.open(*args)
        return "bad" if plain is None else text(plain)
    if verb == "key":
        return "%s %08x" % peer.key()
    return " ".join(text(part) for part in getattr(peer, verb)(*args))


def serve(peer):
    for line in sys.stdin:
        print(answer(peer, line.split()), flush=True)

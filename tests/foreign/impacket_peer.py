"""impacket's client side of NTLM, bare or in a SPNEGO token of which NTLM is the last choice.

    impacket_peer.py FORM DOMAIN USER PASSWORD

FORM: bare | v1 (an NTLMv1 response) | kerberos-first (a token for Kerberos, which the server does not have)
"""

import sys

from Cryptodome.Cipher import ARC4
from impacket import ntlm
from impacket.spnego import TypesMech, asn1encode

import peer

NTLM = TypesMech["NTLMSSP - Microsoft NTLM Security Support Provider"]
KERBEROS = TypesMech["MS KRB5 - Microsoft Kerberos 5"]
SPNEGO = b"\x2b\x06\x01\x05\x05\x02"


def der(tag, *parts):
    return bytes([tag]) + asn1encode(b"".join(parts))


class Ntlm:
    def __init__(self, form, domain, user, password):
        self.account = user, password, domain
        self.v2 = form != "v1"
        self.greeting = ntlm.getNTLMSSPType1("PC", domain, True, self.v2)

    def step(self, token):
        if not token:
            return False, self.greeting.getData()
        answer, key = ntlm.getNTLMSSPType3(self.greeting, token, *self.account, use_ntlmv2=self.v2)
        self.flags = answer["flags"]
        self.keys(key)
        return True, answer.getData()

    def keys(self, key):
        half = lambda side: {"sign": ntlm.SIGNKEY(self.flags, key, side),
                             "stream": ARC4.new(ntlm.SEALKEY(self.flags, key, side)), "sequence": 0}
        self.key, self.out, self.back = key, half("Client"), half("Server")

    def mac(self, half, message):
        mac = ntlm.MAC(self.flags, half["stream"].encrypt, half["sign"], half["sequence"], message)
        half["sequence"] += 1
        return mac.getData()

    def sign(self, pdu):
        return (self.mac(self.out, pdu),)

    def check(self, signature, pdu):
        return self.mac(self.back, pdu) == signature

    def seal(self, pdu):
        sealed = self.out["stream"].encrypt(pdu)
        return self.mac(self.out, pdu), sealed

    def open(self, signature, sealed):
        plain = self.back["stream"].encrypt(sealed)
        return plain if self.mac(self.back, plain) == signature else None


class KerberosFirst(Ntlm):
    """NegTokenInit with a token of Kerberos, then NTLM, with the list of mechanisms signed at last."""

    def step(self, token):
        if not token:
            mechanisms = der(0x30, der(0x06, KERBEROS), der(0x06, NTLM))
            self.mechanisms = mechanisms
            fields = der(0xA0, mechanisms) + der(0xA2, der(0x04, b"an AP-REQ"))
            return False, der(0x60, der(0x06, SPNEGO), der(0xA0, der(0x30, fields)))
        challenge = token.find(b"NTLMSSP\0")
        if challenge < 0 and not hasattr(self, "key"):
            assert der(0xA0, der(0x0A, b"\x03")) in token, "request-mic was due"
            return False, self.response(self.greeting.getData())
        if challenge < 0:
            mic = token[token.index(der(0x0A, b"\x00")):].split(b"\x04\x10", 1)[1]
            stream = self.back["stream"]
            assert self.mac(self.back, self.mechanisms) == mic, "the server's MIC"
            self.keys(self.key)
            self.out["sequence"] = self.back["sequence"] = 1
            return True, b""
        _, answer = super().step(token[challenge:])
        return False, self.response(answer, self.mac(self.out, self.mechanisms))

    @staticmethod
    def response(token, mic=None):
        fields = der(0xA2, der(0x04, token))
        if mic:
            fields += der(0xA3, der(0x04, mic))
        return der(0xA1, der(0x30, fields))


form = sys.argv[1]
peer.serve((KerberosFirst if form == "kerberos-first" else Ntlm)(*sys.argv[1:]))

"""Samba's server side of SPNEGO and NTLM: ntlm_auth, which checks one password by itself.

    samba_acceptor.py CONF MECHANISM LEVEL DOMAIN USER PASSWORD

MECHANISM: spnego | ntlmssp, LEVEL: connect | sign | seal.
"""

import base64
import subprocess
import sys

import peer

PROTOCOLS = {"spnego": "gss-spnego", "ntlmssp": "squid-2.5-ntlmssp"}
FEATURES = {"connect": "", "sign": "NTLMSSP_FEATURE_SIGN",
            "seal": "NTLMSSP_FEATURE_SIGN NTLMSSP_FEATURE_SEAL"}


class Acceptor:
    def __init__(self, conf, mechanism, level, domain, user, password):
        command = ["ntlm_auth", "--configfile=" + conf, "--helper-protocol=" + PROTOCOLS[mechanism],
                   "--domain=" + domain, "--username=" + user, "--password=" + password]
        self.helper = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, text=True)
        self.verb = "YR"
        self.spnego = mechanism == "spnego"
        self.ask("SF NTLMSSP_FEATURE_SESSION_KEY " + FEATURES[level])

    def ask(self, line):
        self.helper.stdin.write(line + "\n")
        self.helper.stdin.flush()
        return self.helper.stdout.readline().split()

    def step(self, token):
        words = self.ask(self.verb + " " + base64.b64encode(token).decode())
        self.verb = "KK"
        if words[0] not in ("TT", "AF"):
            raise peer.Refused(" ".join(words))
        # With NTLM alone there is no last token: what stands behind AF is the account.
        last = words[1] if words[0] == "TT" or self.spnego else ""
        return words[0] == "AF", base64.b64decode(last if last != "*" else "")

    def key(self):
        key, flags = self.ask("GK")[1], self.ask("GF")[1]
        return base64.b64decode(key).hex(), int(flags, 16)


peer.serve(Acceptor(*sys.argv[1:]))

"""Samba's client side of SPNEGO and NTLM (GENSEC), by python3-samba.

    samba_peer.py CONF MECHANISM LEVEL DOMAIN USER PASSWORD [OPTION=VALUE ...]

MECHANISM: spnego | ntlmssp, LEVEL: connect | sign | seal. An empty USER is anonymous.
"""

import sys

from samba import NTSTATUSError, credentials, gensec, param

import peer


class Samba:
    def __init__(self, conf, mechanism, level, domain, user, password, *options):
        lp = param.LoadParm(conf)
        for option in options:
            lp.set(*option.split("=", 1))
        creds = credentials.Credentials()
        creds.guess(lp)
        if user:
            creds.set_username(user)
            creds.set_password(password)
            creds.set_domain(domain)
            creds.set_workstation("PC")
        else:
            creds.set_anonymous()
        creds.set_kerberos_state(credentials.DONT_USE_KERBEROS)
        self.gensec = gensec.Security.start_client({"lp_ctx": lp, "target_hostname": "127.0.0.1"})
        self.gensec.set_credentials(creds)
        features = {"connect": [], "sign": [gensec.FEATURE_SIGN],
                    "seal": [gensec.FEATURE_SIGN, gensec.FEATURE_SEAL]}
        for feature in features[level]:
            self.gensec.want_feature(feature)
        self.gensec.start_mech_by_name(mechanism)

    def step(self, token):
        try:
            return self.gensec.update(token)
        except (NTSTATUSError, RuntimeError) as error:
            raise peer.Refused(error)

    def sign(self, pdu):
        return (self.gensec.sign_packet(pdu, pdu),)

    def check(self, signature, pdu):
        try:
            self.gensec.check_packet(pdu, pdu, signature)
            return True
        except (NTSTATUSError, RuntimeError):
            return False

    def seal(self, pdu):
        wrapped = self.gensec.wrap(pdu)
        return wrapped[:16], wrapped[16:]

    def open(self, signature, sealed):
        try:
            return self.gensec.unwrap(signature + sealed)
        except (NTSTATUSError, RuntimeError):
            return None


peer.serve(Samba(*sys.argv[1:]))

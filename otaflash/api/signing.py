"""Which signature a board wants, and a bundle signed for it. Knows no key's file."""

from __future__ import annotations

from otaflash.engine.events import WarningEvent
from otaflash.engine.failures import refused
from otaflash.errors import ImageError, OtaflashError
from otaflash.image.bundle import Bundle, as_if_signed, signed
from otaflash.image.signing import Signer
from otaflash.wire.messages import Info, Reason, Scheme


def sign_for(info: Info, bundle: Bundle, signer: Signer | None, *, really: bool) -> Bundle:
    """The bundle as the board takes it, signed if there is a key; without `really` no signature is used up, and zeros
    stand for it. Raises ImageError: not-signed; OtaflashError: unknown-scheme; UsageError as the key does."""
    scheme = bundle.manifest.scheme if signer is None else signer.scheme_number
    if not info.schemes >> scheme & 1:
        raise _not_taken(info, scheme)
    if signer is None:
        return bundle
    return signed(bundle, signer) if really else as_if_signed(bundle, signer)


def unsigned_warning(bundle: Bundle) -> tuple[WarningEvent, ...]:
    """What is to be said of a push that no signature guards."""
    if bundle.manifest.scheme != Scheme.NONE:
        return ()
    text = "the board takes programs that nobody signed: whoever reaches it can change what it runs"
    return (WarningEvent("unsigned", text),)


def _not_taken(info: Info, scheme: int) -> OtaflashError:
    if scheme != Scheme.NONE:
        return refused(Reason.UNKNOWN_SCHEME, "the image")
    names = ", ".join(each.name.lower() for each in Scheme if info.schemes >> each & 1)
    text = f"the board takes only signed programs ({names}), and this one is not signed"
    return ImageError("not-signed", text, remedy="Push it with --key, or sign the bundle with otaflash sign.")

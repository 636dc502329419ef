"""Which machine plays an SDK over a transport."""

from random import Random

from harness.device.emulated import EmulatedDevice
from harness.device.https_device import HttpsDevice
from harness.profile import Profile

__all__ = ["device_for"]


def device_for(profile: Profile, transport: str, *, random: Random) -> EmulatedDevice | HttpsDevice:
    """The emulated device of `profile` over one of the transports that it names."""
    over_https = profile.emulation.https
    if transport == "https" and over_https is not None:
        return HttpsDevice(profile, over_https)
    return EmulatedDevice(profile, transport, random=random)

"""Writes short_numbers.txt and time_zones.txt, which the tables are made of beside the metadata: facts of Google's
libphonenumber (Apache-2.0, see NOTICE) that the crate rlibphonenumber leaves out. The Python port has them as data:

    pip install phonenumbers==9.0.42    # the release that metadata_version() names
    python3 src/core/examples/phone_automaton/facts.py
    cargo run --release -p switchboard-core --example phone_automaton
"""

from pathlib import Path

import phonenumbers
from phonenumbers.phonemetadata import PhoneMetadata
from phonenumbers.shortdata import _AVAILABLE_REGION_CODES as regions
from phonenumbers.tzdata import TIMEZONE_DATA as prefixes

HERE = Path(__file__).parent

# Names that the tz database keeps for old programs only, and Debian in a package of its own, to those it uses now.
RENAMED = {
    "Africa/Asmera": "Africa/Asmara",
    "America/Buenos_Aires": "America/Argentina/Buenos_Aires",
    "America/Godthab": "America/Nuuk",
    "Asia/Calcutta": "Asia/Kolkata",
    "Asia/Choibalsan": "Asia/Ulaanbaatar",
    "Asia/Katmandu": "Asia/Kathmandu",
    "Asia/Rangoon": "Asia/Yangon",
    "Atlantic/Faeroe": "Atlantic/Faroe",
    "Pacific/Enderbury": "Pacific/Kanton",
    "Pacific/Ponape": "Pacific/Pohnpei",
    "Pacific/Truk": "Pacific/Chuuk",
}


def short_numbers():
    for region in sorted(regions):
        plan = PhoneMetadata.short_metadata_for_region(region, None)
        # Emergency numbers are short numbers too, as a rule; the tests look at them by themselves.
        for kind in ("short_code", "emergency"):
            described = getattr(plan, kind)
            if described is not None and described.national_number_pattern is not None:
                lengths = ",".join(str(length) for length in described.possible_length)
                yield f"{region}\t{kind}\t{lengths}\t{described.national_number_pattern}"


def time_zones():
    for prefix, names in sorted(prefixes.items()):
        names = dict.fromkeys(RENAMED.get(name, name) for name in names)
        yield f"{prefix}\t{' '.join(names)}"


def write(name, lines):
    (HERE / name).write_text(f"# libphonenumber {phonenumbers.__version__}\n" + "".join(f"{line}\n" for line in lines))


write("short_numbers.txt", short_numbers())
write("time_zones.txt", time_zones())

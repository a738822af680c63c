"""What commands share: who runs them."""

import os
import pwd

from watchdeck.cli.options import user_name


def test_the_user_is_who_the_system_says_and_a_number_where_it_has_no_name() -> None:
    assert user_name(os.getuid()) == pwd.getpwuid(os.getuid()).pw_name
    nameless = max(entry.pw_uid for entry in pwd.getpwall()) + 1
    assert user_name(nameless) == str(nameless)

from pathlib import Path

import pytest
from msgspec.structs import replace

from config.config_files import ONE, problems, write
from watchdeck.config.checks.endpoint import FleetNames, endpoint_problems
from watchdeck.config.load import load


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param('every = "500ms"', "every is 500ms, less than 1s.", id="too often"),
        pytest.param('timeout = "2m"', "timeout is 2m, more than 1m.", id="too patient"),
        pytest.param('max_body = "1GiB"', "max_body is 1GiB, more than 64MiB.", id="too large"),
        pytest.param("max_series = 0", "max_series is 0, less than 1.", id="no series"),
        pytest.param("tier = 12", "tier is 12, more than 9.", id="a tier of nobody"),
        pytest.param(
            'kind = "vlm"', "kind is no known kind of server. Did you mean 'vllm'?", id="a kind"
        ),
        pytest.param(
            'kind = "Triton Inference Server"',
            "kind is no known kind of server. Did you mean 'triton'?",
            id="a kind's title",
        ),
        pytest.param(
            'kind = "abacus"', "kind is no known kind of server. Kinds are auto, bentoml", id="none"
        ),
        pytest.param(
            'kind = "json"', "map is missing, and a JSON page means nothing without it.", id="json"
        ),
        pytest.param(
            'depends_on = ["b"]', "depends_on[0] names no endpoint.", id="an endpoint of nobody"
        ),
        pytest.param('resources = ["a"]', "resources[0] is the endpoint itself.", id="itself"),
        pytest.param(
            'resources = [{ endpoint = "b" }]', "resources[0] names no endpoint.", id="no resource"
        ),
        pytest.param(
            'resources = [{ match = { gpu = "0" } }]',
            "resources[0] has no 'endpoint'.",
            id="a part of nothing",
        ),
        pytest.param(
            'resources = [{ endpoint = "b", mach = {} }]',
            "resources[0].mach is not a setting. Did you mean 'match'?",
            id="a setting that a resource does not have",
        ),
        pytest.param(
            "resources = [7]",
            "resources[0] must be a text in quotes or a table with endpoint, match, not the number",
            id="a resource that is a number",
        ),
        pytest.param(
            'resources = [{ endpoint = "b", match = { "a-b" = "0" } }]',
            "resources[0].match.a-b is not the name of a label.",
            id="a label that cannot be",
        ),
        pytest.param(
            'resources = [{ endpoint = "b", match = { gpu = "" } }]',
            "resources[0].match.gpu is empty. Leave it out",
            id="a label without a value",
        ),
        pytest.param(
            'resources = ["b", { endpoint = "b" }]',
            "resources[1] names the same resource again. Leave it out.",
            id="the same twice",
        ),
        pytest.param(
            'keep = "al"', "keep is neither 'needed' nor 'all'. Did you mean 'all'?", id="a word"
        ),
        pytest.param(
            'keep = "vllm:*"',
            "keep is neither 'needed' nor 'all'. Patterns are a list:",
            id="a pattern that is no list",
        ),
        pytest.param('keep = [""]', "keep has an empty pattern.", id="no pattern"),
        pytest.param('exclude_paths = ["livez"]', "exclude_paths[0] does not begin", id="a path"),
        pytest.param('tls = { key = "k" }', "tls has a key and no certificate.", id="half a pair"),
        pytest.param(
            'map = { latncy = "x" }',
            "map.latncy is not a signal that can be mapped. Did you mean 'latency'?",
            id="a signal that is none",
        ),
        pytest.param(
            "map = { requests = 'x{a=1}' }",
            "map.requests 'x{a=1}': 'a=1' is not label=\"value\".",
            id="a selector that cannot be read",
        ),
        pytest.param(
            'map = { errors = "x" }', "map.errors needs requests beside it", id="half a share"
        ),
        pytest.param(
            'canary = { path = "x", body = "{}" }', "canary.path does not begin with /", id="path"
        ),
        pytest.param(
            'canary = { path = "/x" }', "canary.body is missing. Write body or body_file", id="body"
        ),
        pytest.param(
            'canary = { path = "/x", body = "{}", body_file = "b" }',
            "canary.body stands beside body_file. Keep one of the two.",
            id="two bodies",
        ),
        pytest.param(
            'canary = { path = "/x", body = "{}", method = "post" }',
            "canary.method is not a way to send an inference. Did you mean 'POST'?",
            id="a method in small letters",
        ),
        pytest.param(
            'canary = { path = "/x", body = "{}", expect = "outputs > 1" }',
            "canary.expect 'outputs > 1' does not begin with a path",
            id="an expectation that cannot be read",
        ),
        pytest.param('slo = { availability = "0%" }', "slo.availability is 0%", id="no promise"),
        pytest.param('slo = { latency_p95 = "0s" }', "slo.latency_p95 is 0s", id="no time"),
        pytest.param('slo = { error_ratio = "100%" }', "slo.error_ratio is 100%", id="all wrong"),
        pytest.param(
            'owner = "me\\u202e"',
            "owner has a character that no screen shows (U+202E). Leave it out.",
            id="text that runs backwards",
        ),
        pytest.param(
            f'labels = {{ "{"k" * 1_100}" = "v" }}', 'labels."kkkk', id="a label without end"
        ),
        pytest.param(
            "serves = [" + '"x",' * 201 + "]",
            "serves has 201 entries; at most 200",
            id="a long list",
        ),
        pytest.param('headers = { "a b" = "c" }', 'headers."a b" is not the name', id="a header"),
        pytest.param('headers = { Host = "x" }', "headers.Host is set by watchdeck", id="ours"),
        pytest.param(
            'headers = { X-A = "1", x-a = "2" }', "headers.x-a is given twice.", id="twice"
        ),
        pytest.param(
            'headers = { X = "a\\r\\nY: b" }',
            "headers.X has a character that no screen shows (U+000D)",
            id="a header that holds another",
        ),
        pytest.param('headers = { X = "é" }', "headers.X has a character that HTTP", id="accents"),
        pytest.param("headers = { X = {} }", "headers.X needs one of env and file.", id="nowhere"),
        pytest.param(
            'headers = { X = { env = "A", file = "b" } }', "headers.X needs one of", id="two places"
        ),
        pytest.param(
            'headers = { X = { env = "$A" } }',
            "headers.X.env is not the name of an environment variable.",
            id="a variable with its sign",
        ),
        pytest.param('headers = { X = { file = "" } }', "headers.X.file is empty.", id="no file"),
    ],
)
def test_a_value_that_cannot_work_is_told(tmp_path: Path, text: str, said: str) -> None:
    first, *_ = problems(tmp_path, ONE + text)
    assert first.startswith(f"endpoint[0].{said}")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        pytest.param("fraud:8080", 'has no scheme. Write "http://HOST:PORT".', id="no scheme"),
        pytest.param("ftp://fraud", "cannot be asked over ftp. Write http or https.", id="ftp"),
        pytest.param("file:///etc/passwd", "cannot be asked over file.", id="a file"),
        pytest.param("http://", "names no host.", id="no host"),
        pytest.param("http://h:99999", "cannot be read.", id="a port too high"),
        pytest.param("http://h:0", "has port 0.", id="no port"),
        pytest.param("http://[::1", "cannot be read.", id="half a bracket"),
        pytest.param("http://a b/", "names no host.", id="a blank"),
        pytest.param(f"http://{'ü' * 70}", "cannot be read.", id="a name too long"),
        pytest.param(f"http://h/{'x' * 2_100}", "is longer than 2048 characters.", id="too long"),
    ],
)
def test_an_address_that_cannot_be_asked_is_told(tmp_path: Path, url: str, said: str) -> None:
    text = f'[[endpoint]]\nname = "a"\nurl = "http://h"\nmetrics_url = "{url}"'
    assert problems(tmp_path, text)[0].startswith(f"endpoint[0].metrics_url {said}")
    text = f'[[endpoint]]\nname = "a"\nurl = "{url}"'
    assert problems(tmp_path, text)[0].startswith(f"endpoint[0].url {said}")


@pytest.mark.parametrize("name", ["", " a", "a\\u001b]0;x\\u0007", "x" * 81])
def test_a_name_that_cannot_be_shown_is_refused(tmp_path: Path, name: str) -> None:
    [line] = problems(tmp_path, f'[[endpoint]]\nname = "{name}"\nurl = "http://h"')
    assert line.startswith("endpoint[0].name ")


SECRET = "canary-41c7"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        pytest.param(f'headers = {{ Authorization = "Bearer {SECRET}" }}', "Authorization", id="a"),
        pytest.param(f'headers = {{ X-Api-Key = "{SECRET}" }}', "X-Api-Key", id="b"),
        pytest.param(f'headers = {{ cookie = "s={SECRET}" }}', "cookie", id="c"),
        pytest.param(f'metrics_url = "http://me:{SECRET}@h/metrics"', "metrics_url", id="d"),
    ],
)
def test_a_secret_may_only_stand_in_a_file_of_its_owner_alone(
    tmp_path: Path, text: str, key: str
) -> None:
    [line] = problems(tmp_path, ONE + text)
    assert key in line
    assert "in a file that others can read. Make that file yours alone (chmod 600), or" in line
    load(write(tmp_path, ONE + text, 0o600))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f'url = "htp://me:{SECRET}@h"', id="in an address"),
        pytest.param(f'url = "http://me:{SECRET}\\u0007@h"', id="in an address, with a bell"),
        pytest.param(f'url = "http://h"\nheaders = {{ A = "{SECRET}\\u0007" }}', id="in a header"),
        pytest.param(f'url = "http://h"\nheaders = {{ A = ["{SECRET}"] }}', id="in a list"),
        pytest.param(f'url = "http://h"\nheaders = "{SECRET}"', id="in place of headers"),
        pytest.param(f'url = "http://h"\nheaders = {{ A = {{ env = "${SECRET}" }} }}', id="env"),
    ],
)
def test_no_problem_repeats_what_may_be_a_secret(tmp_path: Path, text: str) -> None:
    said = problems(tmp_path, f'[[endpoint]]\nname = "a"\n{text}')
    assert SECRET not in "".join(said)


@pytest.mark.parametrize(
    "setting",
    [
        pytest.param('model = "m"', id="a model"),
        pytest.param('slo = { availability = "99%" }', id="a promise"),
        pytest.param('canary = { path = "/x", method = "GET" }', id="a canary"),
    ],
)
def test_the_page_of_a_machine_is_not_a_model(tmp_path: Path, setting: str) -> None:
    fleet = FleetNames(("gpu-node",))
    name = setting.partition(" ")[0]
    path = write(tmp_path, f'[[endpoint]]\nname = "a"\nurl = "http://a"\n{setting}\n')
    (endpoint,) = load(path).endpoint
    found = [*endpoint_problems(replace(endpoint, kind="dcgm"), fleet, private=True)]
    assert [problem.key for problem in found] == [name]
    assert found[0].text == "is for models, and dcgm is the page of a machine or device"
    assert [*endpoint_problems(replace(endpoint, kind="vllm"), fleet, private=True)] == []


def test_the_kinds_of_machines_are_read_from_the_lines_of_their_files() -> None:
    fleet = FleetNames(())
    assert fleet.helper_kinds == {name for name, kind in fleet.kinds.items() if kind.helper}

"""The fixed parts of a generated configuration: every setting, offered as a comment.

A line that begins with `#` and no blank is a setting; `# ` begins a text for people.
"""

HEAD = """\
# What watchdeck watches. `watchdeck check` tries all of it.

# Where the store is kept; usually watchdeck's folder in the XDG state directory.
#store = "~/.local/state/watchdeck"
"""

OPTIONAL = """\
#owner = "the team to call"
#tier = 1
#labels = { team = "risk" }
#change = "deploy: v14"  # another text is another marker on the charts
#serves = ["card payments"]
#depends_on = ["features"]
#resources = [{ endpoint = "gpu-7", match = { gpu = "0" } }]
#slo = { availability = "99.9%", latency_p95 = "200ms", error_ratio = "1%" }
#headers = { Authorization = { env = "TOKEN", prefix = "Bearer " }, X-Key = { file = "key" } }
#tls = { ca = "ca.pem", certificate = "me.pem", key = "me.key", insecure = false }
#metrics_url = "http://fraud.internal:8082/metrics"
#every = "10s"
#timeout = "5s"
#exclude_paths = ["/livez", "/readyz"]
#keep = "all"
#max_body = "1MiB"
#max_series = 5000
#canary = { path = "/v2/models/fraud/infer", body_file = "canary.json", every = "60s" }
"""

MAP_HEAD = """\
# Which series of the page are requests, errors and latency:
#[endpoint.map]
"""

MAP_UNITS = """\
# Behind a source stands its unit where it is another than the signal's: "wait_ms ms", "load %",
# "heap MiB", or a factor: "wait_ticks * 0.01". Units are ns us ms s m h, %, B kB MB GB KiB MiB GiB.
"""

MAP = f"""\
{MAP_HEAD}\
#requests = "flask_http_request_total"
#errors = 'flask_http_request_total{{status=~"5.."}}'
#latency = "flask_http_request_duration_seconds"
#queue_time = "flask_queue_wait_ms ms"
{MAP_UNITS}"""

OFFER = f"""\

# Every [[endpoint]] may also have:
{OPTIONAL}"""

EXAMPLE = f"""\

# One model behind one server. The name and the url are enough; all else is as you need it.
#[[endpoint]]
#name = "fraud"
#url = "http://fraud.internal:8080"
#kind = "auto"
#model = "fraud"
{OPTIONAL}
# What it depends on, and pages of the machine that it runs on, are endpoints too.
#[[endpoint]]
#name = "features"
#url = "http://features.internal:9000/metrics"
{MAP}
# A page of JSON has paths in place of series.
#[[endpoint]]
#name = "scores"
#url = "http://scores.internal:8080/stats"
#kind = "json"
#map = {{ requests = "$.total", latency_p95 = "$.latency.p95_ms ms", saturation = "$.load_pct %" }}

#[[endpoint]]
#name = "gpu-7"
#url = "http://gpu-7.internal:9400/metrics"
"""

TAIL = """\

# Whose alerts are heard beside our own: who may send them here, with this token, and whom to ask.
#[intake]
#token = { env = "WATCHDECK_TOKEN" }
#listen = "127.0.0.1:9193"
#exposed = false
#deadman = "Watchdog"

#[[alertmanager]]
#url = "http://alertmanager.internal:9093"
#mirror = false  # true: whoever acknowledges here silences there, for as long

# Who is told: a webhook, PagerDuty, a command, or whatever apprise knows (extra `notify`).
# Without routes, alerts of severity 1 and 2 go to every channel.
#[[channel]]
#name = "hook"
#type = "webhook"
#url = { env = "WATCHDECK_HOOK" }

#[[channel]]
#name = "pager"
#type = "pagerduty"
#routing_key = { env = "PAGERDUTY_KEY" }
#token = { env = "PAGERDUTY_TOKEN" }  # hears who acknowledged on the phone

#[[route]]
#match = ["owner=risk"]
#severity = [1, 2]
#escalation = "risk"

# Nobody took it for 10 minutes: the next one is told. A rota may be an iCalendar file, too.
#[[escalation]]
#name = "risk"
#step = [{ to = ["on-call"] }, { to = ["hook"], after = "10m" }]

#[[rota]]
#name = "on-call"
#people = ["anna", "ben"]
#starts = "2026-01-05T09:00"
#zone = "Europe/Berlin"
#to = ["pager"]  # or a channel each, with person = "anna"

# Signs of life to an address outside; when they stop, somebody there calls.
#[heartbeat]
#url = "https://hc.example/ping"
#every = "60s"

# How long what is kept, and how large the store may grow.
#[retention]
#raw = "30d"
#rollups = "396d"
#budget = "1GiB"

# What is worth an alert. `watchdeck rules list` shows the rules that hold without a line here;
# one with the name of one of those changes what it says, and more may lie in rules/*.toml.
#[[rule]]
#name = "fraud-slow"
#when = "latency_p95 > 200ms for 5m"
#severity = 2
#match = ["owner=risk", 'model=~"fraud-.*"']
#message = "{model} takes {value}, more than {limit}"
#[alerts]
#pack = true
#disable = ["memory-grows"]

# Planned work: nobody is told of alerts while it lasts.
#[[maintenance]]
#name = "patching"
#match = ["owner=risk"]
#days = "sun"
#weeks = ["first"]
#hours = "02:00-04:00"
#zone = "Europe/Berlin"

# How the console looks.
#[console]
#theme = "dark"
#glyphs = "auto"
#columns = ["state", "name", "p95", "rate", "errors", "why"]
#filters = { mine = "owner=risk", bad = "health!=ok" }
#keys = { quit = "Q" }
"""

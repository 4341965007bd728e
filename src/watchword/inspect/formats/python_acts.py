"""What importing a Python source would do, and what its functions would do that no honest one does. Pure.

* *At import* runs whatever stands at the top, in class bodies, decorators and defaults, and what those call of the
  file's own functions; not what stands under ``if __name__ == "__main__"`` or ``TYPE_CHECKING``.
* At import, starting a program or running code that was not written down is an act; so are connections, reading keys
  and passwords, sending what is found here, writes outside of the folder, native libraries and installing packages. A
  function that does such things when called is how handlers and conversion scripts look, and silent.
* Anywhere, these are acts: running what was decoded or downloaded, a command that fetches and runs, a shell handed to a
  socket, ``__reduce__`` of an object whose unpickling executes.
* Text that is executed and can be worked out is analysed as a program of its own.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from watchword.inspect.formats.python_names import DECODERS, Names
from watchword.limits import PYTHON_LEVELS_MAX, PYTHON_PARTS_MAX

_PROCESS = re.compile(
    r"""(?x)(?:os|posix|nt)\.(?:system|popen\d?|exec[lv]p?e?|spawn[lv]p?e?|posix_spawnp?|startfile) |
    subprocess\.(?:run|call|check_call|check_output|Popen|getoutput|getstatusoutput) | commands\.get\w*output |
    pty\.spawn | pexpect\.(?:run|spawn) | asyncio\.(?:subprocess\.)?create_subprocess_(?:exec|shell) | platform\.popen |
    (?:IPython\.get_ipython|builtins\.get_ipython)\(\)\.(?:system|getoutput|run_cell|run_line_magic) |
    distutils\.spawn\.spawn | numpy\.distutils\.exec_command\.exec_command | _posixsubprocess\.fork_exec |
    invoke\.run | ctypes\..*\.(?:system|popen|exec[lv]\w*|WinExec) |
    pydoc\.(?:pipepager|tempfilepager) | webbrowser\.open\w* | pip\.main | pip\._internal\.main |
    (?:[\w.]+\.)?get_event_loop\(\)\.subprocess_(?:exec|shell) | fabric\.\w+\.run | sh\.Command"""
)
_EXECUTE = re.compile(
    r"""(?x)builtins\.(?:exec|eval|execfile) | runpy\.run_(?:path|module) | timeit\.(?:timeit|repeat|Timer) |
    (?:cP|p)rofile\.run(?:ctx)? | (?:pdb|bdb|trace)\.\w*\.?run(?:eval|call|ctx)? | code\.interact |
    code\.Interactive(?:Interpreter|Console)\(\)\.(?:runcode|runsource|push) | types\.(?:FunctionType|CodeType) |
    _xxsubinterpreters\.run_string | ctypes\.pythonapi\.PyRun_\w+"""
)
_LOAD = re.compile(
    r"(?:pickle|_pickle|cPickle|dill|cloudpickle|marshal|joblib|shelve|jsonpickle)\.(?:loads?|decode|open|Unpickler)"
)
_SEND = re.compile(
    r"""(?x)(?:requests|httpx|aiohttp)(?:\.\w+\(\))?\.(?:post|put|patch) |
    socket\.(?:socket\(\)\.(?:connect\w*|sendto) | create_connection) | smtplib\.SMTP\w* | ftplib\.FTP\w* |
    telnetlib\.Telnet | paramiko\.\w+ | websocket\.\w+ | websockets\.connect |
    http\.client\.HTTPS?Connection(?:\(\)\.request)? | dns\.resolver\.\w+ | socket\.gethostbyname |
    xmlrpc\.client\.ServerProxy"""
)
_FETCH = re.compile(
    r"""(?x)(?:requests|httpx)(?:\.\w+\(\))?\.(?:get|request|stream|head) | urllib\.request\.(?:urlopen|urlretrieve) |
    urllib2\.urlopen | urllib\.url(?:open|retrieve) | wget\.download | urllib3\.PoolManager\(\)\.request |
    torch\.hub\.(?:load|load_state_dict_from_url|download_url_to_file) | gdown\.download"""
)
_NATIVE = re.compile(
    r"""(?x)ctypes\.(?:CDLL|PyDLL|WinDLL|OleDLL|cdll\.LoadLibrary|windll\.LoadLibrary) | torch\.ops\.load_library |
    torch\.classes\.load_library | torch\.utils\.cpp_extension\.load(?:_inline)? | tensorflow\.load_(?:op_)?library |
    cffi\.FFI\(\)\.dlopen | importlib\.machinery\.ExtensionFileLoader | imp\.load_dynamic"""
)
_DESTROY = re.compile(r"shutil\.rmtree|os\.(?:remove|unlink|removedirs|rmdir|chmod|truncate)|pathlib\.Path\(\)\.unlink")
_OPEN = re.compile(r"builtins\.open|io\.open|codecs\.open|pathlib\.Path\(\)\.(?:(?:read|write)_(?:text|bytes)|open)")
_RUNS_LATER = re.compile(
    r"threading\.(?:Thread|Timer)|multiprocessing\.Process|atexit\.register|builtins\.(?:map|filter)|asyncio\.run|"
    r"functools\.partial|signal\.signal|sys\.(?:settrace|setprofile|addaudithook)|"
    r"[\w.]*\.(?:submit|apply_async|run_until_complete|call_soon|start_new_thread)|_thread\.start_new_thread"
)
_COMMAND = re.compile(
    r"""(?x) /dev/(?:tcp|udp)/ | \bbash\s+-i\b |
    \b(?:curl|wget|iwr|fetch)\b[^|;&]*(?:\|\s*(?:sudo\s+)?(?:ba|z|da)?sh\b|
    \|\s*python|&&\s*(?:chmod|(?:ba)?sh|\./|python)|;\s*(?:chmod|(?:ba)?sh|\./)) | \$\(\s*(?:curl|wget)\b |
    \bbase64\s+(?:-d|-D|--decode)\b[^|]*\|\s* (?:ba|z)?sh | \bnc(?:at)?\b[^|;]*\s-(?:\w*e|c)\b | \bmkfifo\b.*\bnc\b |
    \brm\s+-\w*[rf]\w*\s+(?:--no-preserve-root\s+)?(?:/(?:\s|$|\*)|~|\$HOME) |
    (?i:powershell[^|]*-e(?:nc|ncodedcommand)?\s+[A-Za-z0-9+/=]{16}) | (?i:\bIEX\b.*(?:DownloadString|Net\.WebClient))
    | \b(?:certutil\b.*-urlcache|bitsadmin\b.*/transfer) | \bpython[23]?\s+-c\s+['"].*\b(?:socket|exec|b64decode)\b |
    \bcrontab\b\s+- | >>?\s*(?:~|/root|\$HOME|/home/\w+)/\.(?:bashrc|profile|ssh/authorized_keys|zshrc) |
    \bcat\s+/etc/(?:shadow|passwd)\b | \bdd\s+if=\S+\s+of=/dev/[sh]d | \bmkfs\. | :\(\)\s*\{"""
)
_HARMLESS = re.compile(
    r"""(?x)^\s*(?:git\s+(?:rev-parse|describe|log|status|config\s+--get|branch|show|tag)\b | nvidia-smi\b |
    nvcc\s+(?:--version|-V) | rocm-smi\b |
    (?:gcc|g\+\+|clang|cc|cmake|ninja|java|ffmpeg|node|python3?)\s+-{1,2}(?:version|V|v)\b | uname\b |
    (?:which|where)\s.* | lscpu\b | hostname\s*$ | sysctl\b | clear\s*$ | cls\s*$ | tput\b | stty\b | lsb_release\b)"""
)
_INSTALL = re.compile(r"\b(?:pip3?|conda|apt(?:-get)?|npm|uv)\b.*\b(?:install|add)\b")
_SECRET_PLACE = re.compile(
    r"""(?x)\.ssh/(?:id_|authorized_keys|config) | \.aws/credentials | \.kube/config | \.docker/config\.json |
    /etc/shadow | \.netrc | \.git-credentials | \.npmrc | \.pypirc | \.cache/huggingface/token |
    (?:Login\ Data|cookies\.sqlite|wallet\.dat|\.bash_history)| /var/run/secrets/kubernetes"""
)
_PERSIST = re.compile(
    r"""(?x)\.(?:bashrc|bash_profile|zshrc|profile)$ | /etc/ | \.ssh/ | site-packages | \.pth$ | /cron |
    \.config/(?:autostart|systemd) | LaunchAgents | (?i:\\startup\\) | sitecustomize"""
)
_OUTSIDE = re.compile(r"^(?:/|~|[A-Za-z]:[\\/]|\\\\)|(?:^|/)\.\./")
_TOLD = re.compile(
    r"os\.environ|os\.getenv|getpass\.getuser|socket\.gethostname|platform\.(?:node|uname)|os\.uname|pwd\."
)
_HOSTS = re.compile(
    r"""(?xi)https?://(?:\d{1,3}(?:\.\d{1,3}){3} | (?:[\w-]+\.)*(?:ngrok(?:-free)?\.(?:io|app) | webhook\.site |
    requestbin\.\w+ | pipedream\.net | oast\.\w+ | interact\.sh | burpcollaborator\.net | trycloudflare\.com |
    serveo\.net | transfer\.sh | 0x0\.st | termbin\.com | paste\.ee | hastebin\.com | ghostbin\.\w+ |
    onion))(?=[:/?\#]|$) | https?://(?:www\.)?pastebin\.com/raw/ |
    https?://(?:\w+\.)?discord(?:app)?\.com/api/webhooks/ | https?://api\.telegram\.org/bot"""
)
_HOST = re.compile(r"\b(?:https?|ftp|wss?)://([A-Za-z0-9][\w-]*(?:\.[\w-]+)+)")
_LOCAL = re.compile(
    r"https?://(?:127\.|10\.|192\.168\.|0\.0\.0\.0|172\.(?:1[6-9]|2\d|3[01])\.|169\.254\.|255\.|224\.|1\.2\.3\.4|8\.8\.)"
)


_TELLING_METHODS = ("system", "popen", "Popen", "check_output", "getoutput", "urlopen")
_MAKING = ("__init__", "__new__", "__post_init__", "__del__")
"""What making an object of a class runs."""


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that the source does: the rule's id, the line (from 1), in words what, and the code."""

    rule: str
    line: int
    what: str
    code: str


@dataclass(slots=True)
class Acts:
    """``runs`` are calls of processes or code in functions; ``pickles`` byte strings that are loaded (line, bytes)."""

    found: list[Act] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    modules: set[str] = field(default_factory=set)
    hosts: set[str] = field(default_factory=set)
    runs: list[Act] = field(default_factory=list)
    pickles: list[tuple[int, bytes]] = field(default_factory=list)


def acts_of(tree: ast.Module, *, loaded: bool, level: int = 0, at_import: bool = True) -> Acts:
    """What the program *tree* does.

    Args:
        loaded: a loader imports this file by its name (``modeling_x.py``), so less is excused at import.
        level: how many programs this one is the text of.
        at_import: False for a program that a function runs when called.
    """
    return _Reading(tree, loaded, level).all(at_import)


class _Reading:
    def __init__(self, tree: ast.Module, loaded: bool, level: int) -> None:
        self.tree = tree
        self.names = Names(tree)
        self.loaded = loaded
        self.level = level
        self.acts = Acts()
        self.now: set[int] = set()

    def all(self, at_import: bool) -> Acts:
        if at_import:
            self.now = {id(node) for node in self._running()}
        socket = dup = False
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                path = self.names.path(node.func)
                socket = socket or (bool(path) and path.startswith("socket."))
                dup = dup or path == "os.dup2"
                self._judge(node, path)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                self._decorated(node)
                if isinstance(node, ast.FunctionDef) and node.name in ("__reduce__", "__reduce_ex__"):
                    self._reduces(node)
            elif isinstance(node, ast.Assign) and id(node) in self.now:
                self._assigned(node)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                self._constant(node)
        if socket and dup:
            self._add("python-command", self.tree, "hands its input and output to a socket", "os.dup2")
        if self.names.steps_left < 0:
            self._add("python-limit", self.tree, "its names and texts take more steps to work out than are taken", "")
        self.acts.modules = {name.partition(".")[0] for name in self.names.modules}
        return self.acts

    # -- what runs at import ----------------------------------------------------------------------

    def _running(self) -> Iterator[ast.AST]:
        """Every node that importing evaluates, the bodies of the file's own functions that it calls included."""
        waiting: list[ast.AST] = list(self.tree.body)
        entered: set[int] = set()
        for statement in self.tree.body:
            # Called for whatever name an importer asks for and that is not there.
            if isinstance(statement, ast.FunctionDef) and statement.name == "__getattr__":
                waiting += statement.body
        while waiting:
            node = waiting.pop()
            yield node
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                waiting += [*node.decorator_list, *node.args.defaults, *(d for d in node.args.kw_defaults if d)]
                for decorator in node.decorator_list:
                    self._enter(decorator, entered, waiting, (*_MAKING, "__call__"))
                continue
            if isinstance(node, ast.Lambda):
                waiting += [*node.args.defaults, *(d for d in node.args.kw_defaults if d)]
                continue
            if isinstance(node, ast.If) and (skipped := _not_at_import(node)):
                waiting += node.orelse if skipped == "body" else node.body
                continue
            if isinstance(node, ast.Call):
                self._follow(node, entered, waiting)
            elif isinstance(node, ast.withitem):
                self._enter(node.context_expr, entered, waiting, (*_MAKING, "__enter__"))
            elif isinstance(node, ast.ClassDef):
                for base in node.bases:
                    self._enter(base, entered, waiting, ("__init_subclass__",))
                for keyword in node.keywords:
                    self._enter(keyword.value, entered, waiting, ("__new__", "__init__", "__call__", "__prepare__"))
                for decorator in node.decorator_list:
                    self._enter(decorator, entered, waiting, (*_MAKING, "__call__"))
            waiting.extend(ast.iter_child_nodes(node))

    def _follow(self, node: ast.Call, entered: set[int], waiting: list[ast.AST]) -> None:
        self._enter(node.func, entered, waiting)
        path = self.names.path(node.func)
        owner = self.names.classes.get(path.removesuffix("()"))
        if owner is not None and path.endswith("()"):
            self._enter(ast.Name(owner.name), entered, waiting, ("__call__",))
        if path == "builtins.type":
            tables = [given for given in node.args if isinstance(given, ast.Dict)]
            waiting += [value.body for table in tables for value in table.values if isinstance(value, ast.Lambda)]
        if _RUNS_LATER.fullmatch(path):
            for given in [*node.args, *(keyword.value for keyword in node.keywords)]:
                self._enter(given, entered, waiting)

    def _enter(
        self, node: ast.AST, entered: set[int], waiting: list[ast.AST], methods: tuple[str, ...] = _MAKING
    ) -> None:
        """Go into the function of this file that *node* names, or the *methods* of its class."""
        if isinstance(node, ast.Call):
            node = node.func
        if isinstance(node, ast.Lambda):
            waiting.append(node.body)
            return
        name = ""
        if isinstance(node, ast.Name):
            name = node.id
        elif isinstance(node, ast.Attribute) and self.names.path(node).partition(".")[0] not in self.names.roots:
            name = node.attr
        target = self.names.functions.get(name)
        bodies: list[ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda] = [target] if target is not None else []
        owner = self.names.classes.get(name)
        if owner is not None:
            bodies += [one for one in owner.body if isinstance(one, ast.FunctionDef) and one.name in methods]
        for body in bodies:
            if id(body) not in entered:
                entered.add(id(body))
                waiting += [body.body] if isinstance(body, ast.Lambda) else body.body

    # -- what a call is ---------------------------------------------------------------------------

    def _judge(self, node: ast.Call, path: str) -> None:
        now = id(node) in self.now
        if now:
            self._passed_on(node)
            last = path.rpartition(".")[2]
            if last in _TELLING_METHODS and re.search(r"\[\]|\(\)|^\?", path) and not _PROCESS.fullmatch(path):
                self._add("python-import-reaches", node, f"importing it would call {last} of what is computed", "")
        if not path:
            return
        if _PROCESS.fullmatch(path):
            self._process(node, path, now)
        elif _EXECUTE.fullmatch(path):
            self._executes(node, path, now)
        elif _LOAD.fullmatch(path):
            self._loads(node, path, now)
        elif _SEND.fullmatch(path):
            self._sends(node, path, now)
        elif _FETCH.fullmatch(path):
            url = self._first(node)
            if now and (self.loaded or telling_host(url)):
                self._add("python-import-reaches", node, f"importing it would call {path}", url)
            if path.startswith(("urllib", "requests")) and (self._mentions(node, _TOLD) and now):
                self._add("python-import", node, f"importing it would send what it finds here, by {path}", url)
        elif _NATIVE.fullmatch(path):
            if now and node.args and re.search(r"[/\\]|\.so|\.dll|__file__", _code(node.args[0])):
                self._add("python-import-reaches", node, f"importing it would load native code, by {path}", "")
        elif now and _DESTROY.fullmatch(path):
            if _OUTSIDE.search(self._first(node)):
                self._add("python-import-reaches", node, f"importing it would call {path}", self._first(node))
        elif now and _OPEN.fullmatch(path):
            self._opens(node, path)

    def _passed_on(self, node: ast.Call) -> None:
        """A function that executes, given to another to be called: ``map(os.system, …)``, ``register(exec, …)``."""
        for given in [*node.args, *(keyword.value for keyword in node.keywords)]:
            path = self.names.path(given) if isinstance(given, ast.Name | ast.Attribute) else ""
            if path and (_PROCESS.fullmatch(path) or path in ("builtins.exec", "builtins.eval")):
                self._add("python-import", node, f"importing it would hand {path} on to be called", "")

    def _decorated(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        for decorator in node.decorator_list if id(node) in self.now else ():
            path = self.names.path(decorator)
            if _PROCESS.fullmatch(path) or path in ("builtins.exec", "builtins.eval"):
                self._add("python-import", decorator, f"importing it would call {path}, as a decorator", "")

    def _assigned(self, node: ast.Assign) -> None:
        """A function that executes, made a method that operators or attribute access call."""
        path = self.names.path(node.value) if isinstance(node.value, ast.Name | ast.Attribute) else ""
        for target in node.targets:
            name = (
                target.id if isinstance(target, ast.Name) else target.attr if isinstance(target, ast.Attribute) else ""
            )
            if re.fullmatch("__[a-z_]+__", name) and path and (_PROCESS.fullmatch(path) or _EXECUTE.fullmatch(path)):
                self._add("python-import", node, f"makes {path} the method {name}", "")

    def _process(self, node: ast.Call, path: str, now: bool) -> None:
        command = self._command(node)
        if command and _COMMAND.search(command):
            self._add(
                "python-command", node, f"runs a command of the kind that attacks are made of, by {path}", command
            )
        elif (now or command) and self._decoded(node):
            self._add("python-conceals", node, f"runs a command that was decoded, by {path}", command)
        elif now and _HARMLESS.search(command):
            self.acts.notes.append(f"importing it runs {command[:80]}")
        elif now and _INSTALL.search(command):
            self._add("python-import-reaches", node, f"importing it would install packages, by {path}", command)
        elif now:
            self._add("python-import", node, f"importing it would call {path}", command)
        else:
            self.acts.runs.append(Act("python-model-runs", node.lineno, path, _code(node)))

    def _executes(self, node: ast.Call, path: str, now: bool) -> None:
        text = self.names.value(node.args[0]) if node.args else None
        if isinstance(text, bytes):
            text = text.decode("utf-8", "replace")
        if self._concealed(node):
            self._add("python-conceals", node, f"{path} of what was decoded or downloaded", text or "")
        if isinstance(text, str):
            self._inner(text, node, now)
        elif "open()" in (inner := self._sources(node)) or "read_text()" in inner or "get_code" in inner:
            if now and re.search(r"\.(?!py\b|version\b|open\b|read)[A-Za-z0-9]{2,8}['\"]", _code(node)):
                self._add(
                    "python-import-reaches", node, f"importing it would run a file that is no Python, by {path}", ""
                )
            elif now:
                self.acts.notes.append(f"importing it runs another file, by {path} in line {node.lineno}")
        elif now and path in ("builtins.exec", "builtins.execfile") and not self._concealed(node):
            self._add("python-import-reaches", node, f"importing it would run text that is put together, by {path}", "")
        elif now and path in ("types.FunctionType", "types.CodeType", "runpy.run_path", "runpy.run_module"):
            self._add("python-import-reaches", node, f"importing it would call {path}", "")
        else:
            self.acts.runs.append(Act("python-model-runs", node.lineno, path, _code(node)))

    def _inner(self, text: str, node: ast.AST, now: bool) -> None:
        """Analyse text that is executed as a program of its own."""
        if self.level >= PYTHON_LEVELS_MAX:
            self._add("python-limit", node, "programs in the text of programs, deeper than is followed", "")
            return
        try:
            tree = parsed(text.strip())
        except Unparsed:
            return
        inner = acts_of(tree, loaded=self.loaded, level=self.level + 1, at_import=now)
        line = getattr(node, "lineno", 1)
        self.acts.found += [Act(act.rule, line, act.what, act.code) for act in inner.found]
        self.acts.runs += [Act(act.rule, line, act.what, act.code) for act in inner.runs]
        self.names.modules |= inner.modules

    def _loads(self, node: ast.Call, path: str, now: bool) -> None:
        data = self.names.value(node.args[0]) if node.args else None
        if isinstance(data, bytes) and not path.startswith("marshal"):
            self.acts.pickles.append((node.lineno, data))
        if now and path.startswith("marshal") and "open()" not in self._sources(node):
            self._add("python-conceals", node, "importing it would load compiled code by marshal", "")
        elif now and data is None and self._fetched(node):
            self._add("python-import", node, f"importing it would load what it downloads, by {path}", "")

    def _sends(self, node: ast.Call, path: str, now: bool) -> None:
        if now and (self._mentions(node, _TOLD) or "open()" in self._sources(node)):
            self._add("python-import", node, f"importing it would send what it finds here, by {path}", "")
        elif now:
            self._add("python-import-reaches", node, f"importing it would call {path}", self._first(node))

    def _opens(self, node: ast.Call, path: str) -> None:
        where, modes = self._first(node), node.args[1:2]
        if path.startswith("pathlib"):
            inner, modes = node.func.value if isinstance(node.func, ast.Attribute) else node, node.args[:1]
            where = self._first(inner) if isinstance(inner, ast.Call) else ""
        modes += [keyword.value for keyword in node.keywords if keyword.arg == "mode"]
        mode = self.names.text(modes[0]) or "" if modes and path.endswith("open") else ""
        writes = "write_" in path or re.search("[wax+]", mode) is not None
        if not writes:
            if _SECRET_PLACE.search(where):
                self._add("python-import-reaches", node, "importing it would read keys or passwords", where)
        elif _PERSIST.search(where):
            self._add("python-import", node, "importing it would write where programs are started from", where)
        elif _OUTSIDE.search(where):
            self._add("python-import-reaches", node, "importing it would write outside of its folder", where)

    def _reduces(self, node: ast.FunctionDef) -> None:
        """``__reduce__`` names what unpickling calls."""
        for inner in ast.walk(node):
            if isinstance(inner, ast.Return) and isinstance(inner.value, ast.Tuple) and inner.value.elts:
                path = self.names.path(inner.value.elts[0])
                if _PROCESS.fullmatch(path) or _EXECUTE.fullmatch(path) or path == "builtins.__import__":
                    self._add("python-payload", inner, f"makes objects whose unpickling calls {path}", _code(inner))

    def _constant(self, node: ast.Constant) -> None:
        text = node.value
        if not isinstance(text, str) or len(text) > 4096 or "/" not in text:
            return
        self.acts.hosts |= {host.lower() for host in _HOST.findall(text)[:20]}
        for match in _HOSTS.finditer(text):
            if not _LOCAL.match(match[0]):
                self._add("telling-address", node, "names an address of the kind that nobody answers for", match[0])

    # -- small questions --------------------------------------------------------------------------

    def _first(self, node: ast.Call) -> str:
        """The first argument as text, where it is certain; through ``os.path.join`` and ``expanduser`` too."""
        if not node.args:
            return ""
        first = node.args[0]
        text = self.names.text(first)
        if text is None and isinstance(first, ast.Call):
            parts = [self.names.text(one) or "?" for one in first.args[:8]]
            text = "/".join(parts) if any(part != "?" for part in parts) else ""
        return (text or "")[:1000]

    def _command(self, node: ast.Call) -> str:
        """The command of a process call as one line, as far as it is certain; ``?`` stands for what is not."""
        if not node.args:
            given = next((k.value for k in node.keywords if k.arg in ("args", "cmd", "command", "argv")), None)
        else:
            given = node.args[0]
        if given is None:
            return ""
        if isinstance(given, ast.List | ast.Tuple):
            return " ".join(self.names.text(one) or _unknown(one) for one in given.elts[:64])[:4000]
        value = self.names.value(given)
        if isinstance(value, list):
            return " ".join(str(part) for part in value)[:4000]
        if isinstance(value, str | bytes):
            text = (value if isinstance(value, str) else value.decode("utf-8", "replace"))[:4000]
            rest = [self.names.text(one) or "" for one in node.args[1:8]]
            return " ".join([text, *rest]) if node.args and len(node.args) > 1 else text
        if isinstance(given, ast.JoinedStr):
            return "".join(str(part.value) if isinstance(part, ast.Constant) else "?" for part in given.values)[:4000]
        return ""

    def _sources(self, node: ast.Call) -> str:
        """The paths of every call and name that the arguments of *node* come from, through variables, as one text."""
        found: list[str] = []
        waiting: list[ast.AST] = [*node.args, *(keyword.value for keyword in node.keywords)]
        seen: set[str] = set()
        budget = 400
        while waiting and budget:
            inner = waiting.pop()
            budget -= 1
            if isinstance(inner, ast.Call):
                found.append(self.names.path(inner.func) + "()")
            elif isinstance(inner, ast.Attribute):
                found.append(self.names.path(inner))
            elif isinstance(inner, ast.Name) and inner.id not in seen:
                seen.add(inner.id)
                waiting.extend(self.names.bound.get(inner.id, ()))
                target = self.names.functions.get(inner.id)
                if target is not None and not isinstance(target, ast.Lambda):
                    waiting.extend(one.value for one in ast.walk(target) if isinstance(one, ast.Return) and one.value)
            waiting.extend(ast.iter_child_nodes(inner))
        return " ".join(found)

    def _concealed(self, node: ast.Call) -> bool:
        """True when what is run was decoded, or downloaded."""
        return self._decoded(node) or self._fetched(node)

    def _decoded(self, node: ast.Call) -> bool:
        """True when what is run was decoded, unmarshalled, decrypted or put together from numbers."""
        sources = self._sources(node)
        words = ["builtins.chr()", "codecs.decode()", "Fernet", "AES.new"]
        if "open()" not in sources:  # a cache of compiled code is read from a file of its own
            words.append("marshal.load")
        return any(f"{decoder}()" in sources for decoder in DECODERS) or any(word in sources for word in words)

    def _fetched(self, node: ast.Call) -> bool:
        return any(_FETCH.match(path) for path in self._sources(node).split())

    def _mentions(self, node: ast.Call, pattern: re.Pattern[str]) -> bool:
        return bool(pattern.search(self._sources(node)))

    def _add(self, rule: str, node: ast.AST, what: str, evidence: str) -> None:
        self.acts.found.append(Act(rule, getattr(node, "lineno", 1), what, evidence or _code(node)))


def command_of_attack(text: str) -> bool:
    """True for a shell command that fetches and runs, hands a shell to the network, or destroys."""
    return bool(_COMMAND.search(text))


def _unknown(part: ast.expr) -> str:
    return "python" if isinstance(part, ast.Attribute) and part.attr == "executable" else "?"


def telling_host(url: str) -> bool:
    """True for the address of a tunnel, a request catcher, a paste site, a webhook or a bare public number."""
    return bool(_HOSTS.search(url)) and not _LOCAL.match(url)


def _code(node: ast.AST) -> str:
    try:
        return "" if isinstance(node, ast.Module) else ast.unparse(node)[:400]
    except RecursionError:
        return "nested too deeply to be shown"


def _not_at_import(node: ast.If) -> str:
    """``body`` or ``else``: the branch that importing does not run; an empty text when either may run."""
    tests = [node.test]
    if isinstance(node.test, ast.BoolOp) and isinstance(node.test.op, ast.And):
        tests = node.test.values
    return next((branch for test in tests if (branch := _branch(test)) and (branch == "body" or test is node.test)), "")


def _branch(test: ast.expr) -> str:
    if isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and test.left.id == "__name__":
        return "else" if isinstance(test.ops[0], ast.NotEq) else "body"
    name = test.id if isinstance(test, ast.Name) else test.attr if isinstance(test, ast.Attribute) else ""
    return "body" if name == "TYPE_CHECKING" else ""


class Unparsed(Exception):
    """The text is no program of this Python's grammar, or (``deep``) nested beyond what is parsed."""

    def __init__(self, message: str, deep: bool = False) -> None:
        super().__init__(message)
        self.deep = deep


def parsed(text: str) -> ast.Module:
    """The syntax tree of *text*.

    Raises:
        Unparsed: it is no Python, or nested beyond what is parsed.
    """
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about escapes and comparisons in somebody else's source
            return ast.parse(text)
    except SyntaxError as error:
        raise Unparsed(f"line {error.lineno or 1}: {error.msg}") from error
    except (ValueError, RecursionError, MemoryError) as error:
        # A compiler with more stack than we have may still run it.
        raise Unparsed(str(error) or "nested too deeply", True) from error


def parsed_in_parts(text: str) -> tuple[ast.Module, list[tuple[int, str]]]:
    """What parses of *text*, one statement of the top at a time, and the rest: line (from 1) and text of each part.

    For sources of another grammar (Python 2, a later Python): one such statement must not hide the others.
    """
    lines = text.splitlines(keepends=True)
    whole = ast.Module([], [])
    rest: list[tuple[int, str]] = []
    start = 0
    for at in range(1, len(lines) + 1):
        # Past the bound the rest is one part, which parses or does not.
        if at < len(lines) and (len(whole.body) + len(rest) >= PYTHON_PARTS_MAX or not _OPENS.match(lines[at])):
            continue
        part = "".join(lines[start:at])
        try:
            tree = parsed(part)
        except Unparsed:
            rest.append((start + 1, part))
        else:
            for node in tree.body:
                whole.body.append(ast.increment_lineno(node, start) if start else node)
        start = at
    return whole, rest


_OPENS = re.compile(r"(?!(?:else|elif|except|finally|case)\b)[^\s)\]}#\"']")

"""The functions at which a call graph ends: C code, or what is too dynamic to follow. Each does one thing to the world.

A row is ``letter`` and names, each with the positions of the arguments that decide what happens (none: all of them).

* ``x`` runs code, ``i`` imports by name, ``p`` starts a process, ``f`` reaches files, ``n`` the network, ``l`` loads a
  serialised object, ``c`` loads a native library.
"""

from __future__ import annotations

_ROWS = {
    "x": """
        builtins.exec:0 builtins.eval:0 builtins.execfile:0 types.FunctionType:0 types.CodeType types.LambdaType:0
        _testcapi.run_in_subinterp:0 _interpreters.run_string:1 _xxsubinterpreters.run_string:1
        _interpreters.exec:1 code.InteractiveInterpreter.runcode:0 numexpr.evaluate:0 typing._eval_type:0
        typing.get_type_hints:0 typing.ForwardRef._evaluate inspect.get_annotations:0 pandas.eval:0
        pandas.core.computation.eval.eval:0 lark.Lark.open:0 llvmlite.binding.parse_assembly:0""",
    "i": """
        builtins.__import__:0 importlib.import_module:0 importlib.__import__:0 importlib.reload:0
        importlib._bootstrap._gcd_import:0 importlib.machinery.SourceFileLoader:1 imp.load_source:1 imp.load_module:0
        imp.load_dynamic:1 imp.load_compiled:1 imp.find_module:0 importlib.util.spec_from_file_location:1
        runpy.run_path:0 runpy.run_module:0 zipimport.zipimporter:0 pkgutil.resolve_name:0""",
    "p": """
        os.system:0 posix.system:0 nt.system:0 os.execv:0,1 os.execve:0,1 posix.execv:0,1 posix.execve:0,1 nt.execv:0,1
        nt.spawnv:1,2 nt.spawnve:1,2 os.spawnv:1,2 os.spawnve:1,2 os.posix_spawn:0,1 posix.posix_spawn:0,1
        os.posix_spawnp:0,1 posix.posix_spawnp:0,1 os.startfile:0 nt.startfile:0 os.popen:0 posix.popen:0
        os.popen2:0 os.popen3:0 os.popen4:0
        subprocess.Popen:0 subprocess.run:0 subprocess.call:0 subprocess.check_call:0 subprocess.check_output:0
        subprocess.getoutput:0 subprocess.getstatusoutput:0 _posixsubprocess.fork_exec:0,1 _winapi.CreateProcess:0,1
        pty.spawn:0 os.kill os.killpg posix.kill _pexpect.spawn psutil.Popen:0 asyncio.create_subprocess_exec:0
        asyncio.create_subprocess_shell:0 paramiko.SSHClient.exec_command:0 _winapi.OpenProcess commands.getoutput:0""",
    "f": """
        builtins.open:0 builtins.file:0 io.open:0 _io.open:0 io.FileIO:0 _io.FileIO:0 io.open_code:0 _pyio.open:0
        os.open:0 os.remove:0 os.unlink:0 os.rename:0,1 os.replace:0,1 os.rmdir:0 os.mkdir:0 os.makedirs:0
        os.symlink:0,1 os.link:0,1 os.chmod:0 os.chown:0 os.truncate:0 os.listdir:0 os.scandir:0 os.mkfifo:0 os.walk:0
        posix.open:0 posix.remove:0 posix.unlink:0 posix.rename:0,1 posix.replace:0,1 posix.rmdir:0 posix.mkdir:0
        posix.symlink:0,1 posix.link:0,1 posix.chmod:0 posix.listdir:0 posix.scandir:0 posix.truncate:0
        codecs.open:0 shutil.rmtree:0 shutil.copyfile:0,1 shutil.copy:0,1 shutil.copy2:0,1 shutil.move:0,1
        shutil.copytree:0,1 shutil.unpack_archive:0 shutil.make_archive:0 sqlite3.connect:0 _sqlite3.connect:0
        gzip.open:0 bz2.open:0 lzma.open:0 zipfile.ZipFile:0 tarfile.open:0 dbm.open:0 _gdbm.open:0 _dbm.open:0
        h5py.File:0 h5py._hl.files.File:0 numpy.memmap:0 numpy.fromfile:0 pyarrow.OSFile:0 pyarrow.memory_map:0
        glob.glob:0 filelock.FileLock:0 joblib.memory.Memory:0 joblib.Memory:0
        onnxruntime.InferenceSession:0 lmdb.open:0 tables.open_file:0 netCDF4.Dataset:0 cv2.VideoCapture:0 cv2.imread:0
        sentencepiece.SentencePieceProcessor:0 pyarrow.fs.LocalFileSystem mmap.mmap tempfile.mkstemp tempfile.mkdtemp
        fcntl.flock:0 ssl.SSLContext.load_cert_chain:0 torch._C.PyTorchFileReader:0 torch._C.PyTorchFileWriter:0""",
    "n": """
        _socket.socket.connect:0 _socket.socket.bind:0 socket.socket.connect:0 socket.socket.bind:0
        socket.create_connection:0 socket.create_server:0 socket.getaddrinfo:0
        socket.gethostbyname:0 socket.gethostbyname_ex:0 socket.gethostbyaddr:0 socket.getnameinfo:0
        _socket.getaddrinfo:0 _socket.gethostbyname:0 urllib.request.urlopen:0 urllib.request.urlretrieve:0
        urllib.request.OpenerDirector.open:0 urllib.urlopen:0 urllib.urlretrieve:0 urllib2.urlopen:0
        http.client.HTTPConnection.request:1 http.client.HTTPConnection.connect http.client.HTTPConnection.putrequest:1
        requests.get:0 requests.post:0 requests.put:0 requests.head:0 requests.delete:0 requests.request:1
        requests.api.request:1 requests.sessions.Session.request:1 requests.Session.get:0
        httpx.get:0 httpx.post:0 httpx.request:1 httpx.Client.request:1 urllib3.PoolManager.request:1
        urllib3.PoolManager.urlopen:1 fsspec.open:0 fsspec.filesystem:0 fsspec.core.open:0 fsspec.core.url_to_fs:0
        smart_open.open:0 boto3.client boto3.resource websockets.connect:0 websocket.create_connection:0
        asyncio.open_connection:0 grpc.insecure_channel:0 huggingface_hub.hf_hub_download:0
        huggingface_hub.snapshot_download:0 webbrowser.open:0 webbrowser.get:0 git.Repo:0 git.Repo.clone_from:0
        psycopg2.connect pymongo.MongoClient redis.Redis docker.from_env docker.DockerClient
        zmq.Context""",
    "l": """
        pickle.load:0 pickle.loads:0 _pickle.load:0 _pickle.loads:0 cPickle.load:0 cPickle.loads:0 pickle.Unpickler:0
        pickle._Unpickler:0 pickle.Unpickler.load _pickle.Unpickler:0 marshal.load:0 marshal.loads:0 shelve.open:0
        dill.load:0 dill.loads:0 cloudpickle.load:0 cloudpickle.loads:0 joblib.load:0 torch.load:0 torch.jit.load:0
        torch._C.import_ir_module:2 numpy.load:0 pandas.read_pickle:0 yaml.load:0 yaml.unsafe_load:0 yaml.full_load:0
        yaml.load_all:0 jsonpickle.decode:0 keras.models.load_model:0 torch.storage._load_from_bytes:0
        torch.UntypedStorage.from_file:0 torch.UntypedStorage._new_shared_filename_cpu
        torch.UntypedStorage._new_shared_fd_cpu torch.UntypedStorage._new_shared_cuda
        multiprocessing.connection.Client:0 multiprocessing.connection.Listener:0""",
    "c": """
        ctypes.CDLL:0 ctypes.PyDLL:0 ctypes.WinDLL:0 ctypes.OleDLL:0 _ctypes.dlopen:0 _ctypes.LoadLibrary:0
        ctypes.cdll.LoadLibrary:0 ctypes.windll.LoadLibrary:0 ctypes.LibraryLoader.LoadLibrary:0
        _imp.create_dynamic:0 imp.load_dynamic:1 cffi.FFI.dlopen:0 torch.ops.load_library:0
        torch.classes.load_library:0 torch._C._load_library:0 ctypes.cast:0 ctypes.string_at:0 ctypes.memmove:0
        ctypes.CFUNCTYPE ctypes.PYFUNCTYPE""",
}


def _sinks() -> dict[str, tuple[str, tuple[int, ...] | None]]:
    found: dict[str, tuple[str, tuple[int, ...] | None]] = {}
    for letter, names in _ROWS.items():
        for entry in names.split():
            name, _, positions = entry.partition(":")
            found[name] = letter, tuple(int(at) for at in positions.split(",")) if positions else None
    return found


SINKS = _sinks()
"""Dotted name → letter and deciding positions; None where any argument, or none, decides."""

METHODS = {
    "f": "unlink rmdir write_text write_bytes read_text read_bytes symlink_to hardlink_to extractall",
    "i": "exec_module load_module import_module",
    "p": "system popen Popen check_output check_call exec_command run_command",
    "n": "urlopen urlretrieve",
}
METHOD_SINKS = {name: letter for letter, names in METHODS.items() for name in names.split()}
"""Method name → letter, where the object is of no known class: what its owner or its arguments decide."""

CONSTANT = "pn"
"""Letters that count even when no argument decides: a process or a connection is one, whoever chose it."""

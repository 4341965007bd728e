"""What a pickle must never reach: names that execute, import, connect, load, write or delete. Data, with reasons.

The tables are judged on names alone, so the verdict is the same whatever is installed here. A name stands for itself
and for everything below it (``os`` covers ``os.path.join``); ``allowed.py`` is asked first and holds the exceptions.
Sources: the standard library's own documentation; published proofs of concept and advisories of pickle scanners.
"""

from __future__ import annotations

_FAMILIES: dict[str, str] = {
    "runs commands or programs": """
        os posix nt subprocess _posixsubprocess commands.getoutput commands.getstatusoutput popen2 pty pexpect
        sh plumbum invoke fabric paramiko asyncio multiprocessing _multiprocessing concurrent pipes
        _winapi numpy.distutils setuptools distutils _distutils_hack pip ensurepip venv virtualenv
        pkg_resources idlelib torch.utils.collect_env torch.utils.cpp_extension torch._inductor
        torch.distributed.rpc torch.distributed.run torch.distributed.launch torch.distributed.elastic
        torch.utils.bottleneck torch.multiprocessing torch.utils._triton uuid._get_command_stdout
        uuid._popen platform.popen platform._syscmd_ver platform._syscmd_file platform.system_alias
        psutil.Popen joblib.externals.loky loky mlflow.utils.process nltk.internals webbrowser
        antigravity cgi cgitb mailcap execnet""",
    "executes Python code": """
        builtins.exec builtins.eval builtins.compile builtins.execfile builtins.input builtins.breakpoint
        builtins.__build_class__ code codeop bdb pdb timeit trace profile cProfile _lsprof runpy doctest
        pydoc types.FunctionType types.LambdaType types.CodeType types.MethodType types.ModuleType
        types.GeneratorType types.BuiltinFunctionType types.new_class types.coroutine dis inspect sys
        _sys new lib2to3 unittest test.support nose pytest _pytest py.test IPython ipykernel jedi parso
        rlcompleter turtledemo numpy.f2py numpy.testing numpy.core._multiarray_tests numpy.lib.utils
        numpy.lib._utils_impl torch.fx.graph_module torch.fx._symbolic_trace torch.fx.experimental
        torch.fx.graph torch.fx._lazy_graph_module torch._dynamo.guards torch._dynamo.debug_utils
        torch._dynamo.repro torch._dynamo.utils torch.hub torch.package torch.jit.unsupported_tensor_ops
        torch.testing._internal torch.onnx.utils torch.utils.data.datapipes torch.utils._config_module
        torch._jit_internal torch.jit.frontend pandas.eval pandas.core.computation
        pandas.core.frame.DataFrame.eval pandas.core.frame.DataFrame.query numexpr sympy.sympify
        sympy.parsing sympy.utilities.lambdify sympy.lambdify jinja2 mako tornado.template genshi cffi
        ctypes _ctypes cython pyximport scipy.weave llvmlite.binding
        cloudpickle.cloudpickle._make_function cloudpickle.cloudpickle._make_skel_func
        cloudpickle.cloudpickle._builtin_type cloudpickle.cloudpickle._make_cell
        cloudpickle.cloudpickle._fill_function cloudpickle.cloudpickle._function_setstate
        cloudpickle.cloudpickle.subimport cloudpickle.cloudpickle.dynamic_subimport
        cloudpickle.cloudpickle_fast joblib.externals.cloudpickle dill._dill._create_code
        dill._dill._create_function dill._dill._import_module dill._dill._eval_repr dill.source
        dill.temp collections._sys collections._iskeyword tensorflow.python.keras.utils.generic_utils
        keras.src.utils.python_utils keras.utils.func_load keras.src.layers.core.lambda_layer
        keras.layers.Lambda dataclasses._create_fn dataclasses.make_dataclass
        collections.namedtuple.__globals__ site sitecustomize usercustomize this
        mimetypes.guess_all_extensions""",
    "imports modules by name": """
        builtins.__import__ importlib _frozen_importlib _frozen_importlib_external imp _imp pkgutil zipimport
        zipapp modulefinder pydoc.locate pydoc.safeimport six.moves six._import_module
        numpy.compat.py3k.npy_load_module django.utils.module_loading werkzeug.utils.import_string
        tensorflow.python.tools xmlrpc.server logging.config hydra.utils hydra._internal
        transformers.dynamic_module_utils transformers.utils.import_utils""",
    "reaches into running objects": """
        builtins.setattr builtins.delattr builtins.vars builtins.globals builtins.locals builtins.dir
        builtins.memoryview builtins.__dict__ builtins.__loader__ builtins.__spec__
        operator.methodcaller _operator.methodcaller gc weakref.finalize _weakref atexit faulthandler
        copyreg.add_extension copyreg.pickle copyreg.dispatch_table copyreg.remove_extension
        copyreg._extension_registry copyreg._inverted_registry functools.reduce _functools.reduce
        threading _thread _threading_local sched signal sysconfig symtable sqlite3 _sqlite3
        ctypes.util readline curses tracemalloc warnings.catch_warnings""",
    "reads, writes or deletes files": """
        builtins.open builtins.file io.open io.open_code io.FileIO _io.open _io.FileIO _io.open_code _pyio
        codecs.open codecs.EncodedFile shutil tempfile fileinput linecache glob zipfile tarfile
        gzip.open bz2.open lzma.open gzip.GzipFile bz2.BZ2File lzma.LZMAFile mmap fcntl filecmp dbm
        shelve mailbox netrc logging.FileHandler logging.handlers logging.basicConfig
        csv.reader wave aifc sunau pathlib.Path.open pathlib.Path.write_text pathlib.Path.write_bytes
        pathlib.Path.unlink pathlib.Path.read_text pathlib.Path.read_bytes pathlib.Path.rmdir
        pathlib.Path.rename pathlib.Path.touch pathlib.Path.mkdir numpy.save numpy.savez numpy.savetxt
        numpy.loadtxt numpy.genfromtxt numpy.fromfile numpy.memmap numpy.DataSource numpy.fromregex
        numpy.lib.npyio numpy.lib._npyio_impl numpy.lib._datasource numpy.ctypeslib numpy.core.memmap
        numpy.lib.format numpy.ndarray.tofile numpy.rec.fromfile pandas.io pandas.DataFrame.to_pickle
        pandas.read_csv pandas.read_json pandas.read_html pandas.read_sql scipy.io torch.save
        joblib.memory.MemorizedFunc joblib.memory.AsyncMemorizedFunc joblib.memory.MemorizedResult
        joblib.memory.NotMemorizedFunc joblib.compressor.LZ4FrameFile lz4.frame.LZ4FrameFile
        dill._dill.FileType dill._dill.TextWrapperType dill._dill.PyTextWrapperType
        keras.src.saving.saving_lib.H5IOStore keras.src.saving.saving_lib.ShardedH5IOStore
        keras.src.saving.saving_lib.DiskIOStore pandas.HDFStore pandas.io.pytables tables.File netCDF4.Dataset
        torch.from_file joblib.dump PIL.Image.open PIL.ImageFont skimage.io imageio
        wsgiref trove lxml.etree.parse xml.sax xml.dom xml.etree.ElementTree.parse
        zoneinfo.ZoneInfo.from_file safetensors.torch.save_file""",
    "opens network connections": """
        socket _socket socketserver ssl _ssl select selectors urllib urllib2 urlparse http httplib ftplib
        smtplib smtpd telnetlib poplib imaplib nntplib xmlrpc xmlrpclib asyncore asynchat requests httpx
        aiohttp urllib3 pycurl curl websocket websockets tornado twisted zmq boto boto3 botocore s3fs
        gcsfs fsspec smart_open huggingface_hub wget git dulwich torch.utils.model_zoo
        torchvision.datasets.utils tensorflow.keras.utils.get_file keras.utils.get_file sklearn.datasets
        tqdm.contrib.discord tqdm.contrib.telegram tqdm.contrib.slack
        nltk.downloader nltk.data nltk.download transformers.utils.hub datasets.load_dataset pooch""",
    "loads another serialised object": """
        pickle.loads pickle.load pickle.Unpickler pickle._loads pickle._load pickle._Unpickler _pickle cPickle
        marshal dill.loads dill.load dill._dill.loads dill._dill.load cloudpickle.loads cloudpickle.load
        joblib.load joblib.numpy_pickle.load joblib.numpy_pickle_compat pandas.read_pickle numpy.load
        torch.load torch.serialization.load torch.serialization._load torch.serialization._legacy_load
        torch.jit.load torch.jit._serialization torch.load_with_tensors yaml.load yaml.unsafe_load
        yaml.full_load yaml.load_all yaml.unsafe_load_all yaml.constructor ruamel.yaml jsonpickle hickle
        klepto shelve.open numpy.lib.npyio.load keras.models.load_model
        tensorflow.keras.models.load_model tensorflow.saved_model mlflow.pyfunc skops.io.load plistlib
        sklearn.externals.joblib.load pickletools kombu multiprocessing.reduction xmlrpc.client""",
    "tampers with the operating system": """
        winreg _winreg msvcrt resource pwd grp spwd crypt syslog termios tty getpass nis ossaudiodev turtle
        tkinter Tkinter _tkinter""",
}

DENIED: dict[str, str] = {name: what for what, names in _FAMILIES.items() for name in names.split()}
"""Dotted name → what reaching it does. Covers everything below the name."""

_MODULE_WORDS_TEXT = """
    os _os posix nt sys _sys subprocess _subprocess importlib _importlib builtins _builtins __builtin__ ctypes
    _ctypes shutil _shutil socket _socket runpy pty marshal imp tempfile multiprocessing threading urllib requests
    pickle _pickle cPickle inspect _inspect types _types linecache webbrowser platform _io
"""
MODULE_WORDS = frozenset(_MODULE_WORDS_TEXT.split())
"""As a step of a dotted attribute name these are modules that another module happens to have imported."""

_FILE_WORDS_TEXT = """
    open unlink rmdir write_text write_bytes read_text read_bytes rename replace touch chmod lchmod mkdir
    symlink_to hardlink_to tofile dump save to_pickle to_csv to_sql extractall extract
"""
FILE_WORDS = frozenset(_FILE_WORDS_TEXT.split())
"""Method names that reach files, where the object they are taken from is not further known."""

_EXECUTING_WORDS_TEXT = """
    system popen popen2 popen3 popen4 Popen exec eval execfile execv execve execvp execvpe execl execlp spawn
    spawnv spawnl spawnlp spawnvp posix_spawn startfile check_call check_output getoutput getstatusoutput
    exec_command runstring fork_exec _execute_child run_command run_code run_path run_module runcode runsource
    runcall runeval runctx __import__ import_module import_string urlopen urlretrieve unsafe_load exec_module
    load_module fork forkpty
    _syscmd_ver _run_pip get_command_stdout loads_pickle read_pickle call_command shell_exec os_system
    FileIO TextIOWrapper GzipFile BZ2File LZMAFile ZipFile TarFile LZ4FrameFile
"""
EXECUTING_WORDS = frozenset(_EXECUTING_WORDS_TEXT.split())
"""Last names that execute wherever they are found: libraries wrap and re-export these under their own names."""

_MAGIC_WORDS_TEXT = """
    __globals__ __builtins__ __subclasses__ __bases__ __base__ __mro__ __dict__ __code__ __closure__ __func__
    __self__ __getattribute__ __getattr__ __setattr__ __class__ __init__ __loader__ __spec__ __import__ __call__
    __reduce__ __reduce_ex__ __wrapped__ __defaults__ __kwdefaults__ func_globals im_func f_globals gi_frame
    tb_frame
"""
MAGIC_WORDS = frozenset(_MAGIC_WORDS_TEXT.split())
"""Attribute names that lead from one object to any other."""

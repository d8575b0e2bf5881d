"""Which faults tests/e2e/faults.py injects. To add one, add a line."""
import dataclasses

# Files of a period; "" is its directory, /NAME a file of the store itself.
TARGETS = {
    "db": ["db"],
    "conf": ["conf"],
    "snap": ["snap.*"],
    "blobs": ["blobs"],
    "journal": ["journal-0", "journal-1"],
    "summaries": ["summaries"],
    "period": ["", "db", "conf", "snap.*", "blobs", "journal-0", "journal-1", "summaries"],
    "head": ["/HEAD"],
    "store": ["", "db", "conf", "snap.*", "blobs", "journal-0", "journal-1", "summaries", "/", "/HEAD", "/LOCK"],
}

SYNC = "fsync,fdatasync,sync_file_range"
ALL = "openat,read,pread64,write,pwrite64,rename,unlink," + SYNC


@dataclasses.dataclass(frozen=True)
class Fault:
    name: str
    when: str  # start (of the proxy), running, stop
    target: str  # see TARGETS
    calls: str  # system calls, as strace names them
    gives: str  # what they answer: error=…, retval=…, delay_enter=…
    count: str = ""  # which of the calls, as strace's `when=`, by thread; "": all of them
    seed: str = "closed"  # the store it meets: closed, crashed, none
    on_failure: str = "refuse"
    fails: bool = True  # the audit must notice
    killed: bool = False  # the proxy, while it lasts
    asks: bool = False  # the proxy is asked meanwhile, and cannot answer
    budget: int = 60  # calls while it lasts
    command: tuple = ()  # of `tokenward audit`, instead of the proxy
    names: tuple = ()  # what its message must name


PROXY = [
    # A disk that fails while the proxy runs.
    Fault("running journal write EIO", "running", "journal", "pwrite64", "error=EIO"),
    Fault("running journal write ENOSPC", "running", "journal", "pwrite64", "error=ENOSPC"),
    Fault("running journal write nothing", "running", "journal", "pwrite64", "retval=0"),
    Fault("running journal write EIO once", "running", "journal", "pwrite64", "error=EIO", "3"),
    Fault("running journal write EINTR once", "running", "journal", "pwrite64", "error=EINTR", "2", fails=False),
    Fault("running journal write EIO allow", "running", "journal", "pwrite64", "error=EIO", on_failure="allow"),
    Fault("running journal sync EIO", "running", "journal", SYNC, "error=EIO"),
    Fault("running journal sync EIO each third", "running", "journal", SYNC, "error=EIO", "2+3"),
    Fault("running journal sync hangs", "running", "journal", SYNC, "delay_enter=4s", "2", budget=30),
    Fault("running journal sync hangs allow", "running", "journal", SYNC, "delay_enter=4s", "2", budget=30, on_failure="allow"),
    Fault("running db write EIO", "running", "db", "pwrite64", "error=EIO", budget=200),
    Fault("running db write ENOSPC", "running", "db", "pwrite64", "error=ENOSPC", budget=200),
    Fault("running db write nothing", "running", "db", "pwrite64", "retval=0", budget=200),
    Fault("running db write EIO from second", "running", "db", "pwrite64", "error=EIO", "2+", budget=800),
    Fault("running db write EIO allow", "running", "db", "pwrite64", "error=EIO", budget=200, on_failure="allow"),
    Fault("running db write hangs", "running", "db", "pwrite64", "delay_enter=4s", "1", budget=200, fails=False),
    Fault("running db sync EIO", "running", "db", SYNC, "error=EIO", budget=200),
    Fault("running db sync_file_range EIO once", "running", "db", "sync_file_range", "error=EIO", "1", budget=200),
    Fault("running db fdatasync ENOSPC once", "running", "db", "fdatasync", "error=ENOSPC", "1", budget=200),
    Fault("running period everything EIO", "running", "period", ALL, "error=EIO"),
    Fault("running period everything EIO allow", "running", "period", ALL, "error=EIO", on_failure="allow"),
    Fault("running store becomes read-only", "running", "store", "pwrite64,write,ftruncate,fallocate,rename,unlink,mkdir", "error=EROFS"),
    Fault("running new period cannot be opened", "running", "period", "openat,pwrite64", "error=EIO"),
    Fault("running new period cannot be made", "running", "store", "mkdir,pwrite64", "error=ENOSPC"),
    Fault("running head write EIO", "running", "head", "pwrite64", "error=EIO", fails=False),
    Fault("running db read EIO", "running", "db", "openat,read,pread64", "error=EIO", budget=200, fails=False, asks=True),
    Fault("running db read EIO crashed", "running", "db", "read,pread64", "error=EIO", "2+", seed="crashed", budget=200, fails=False, asks=True),
    Fault("running journal read EIO", "running", "journal", "read,pread64", "error=EIO", seed="crashed", fails=False, asks=True),
    # When it is killed meanwhile.
    Fault("killed journal sync EIO", "running", "journal", SYNC, "error=EIO", killed=True),
    Fault("killed db write EIO", "running", "db", "pwrite64", "error=EIO", budget=200, killed=True),
    Fault("killed db write hangs", "running", "db", "pwrite64", "delay_enter=4s", "1", budget=150, fails=False, killed=True),
    Fault("killed period everything EIO", "running", "period", ALL, "error=EIO", killed=True),
    # When it stops.
    Fault("stop db write EIO", "stop", "db", "pwrite64", "error=EIO"),
    Fault("stop db sync EIO", "stop", "db", SYNC, "error=EIO"),
    Fault("stop db fsync EIO", "stop", "db", "fsync", "error=EIO"),
    Fault("stop summaries write EIO", "stop", "summaries", "write,pwrite64", "error=EIO"),
    Fault("stop journal unlink EIO", "stop", "journal", "unlink,unlinkat", "error=EIO"),
    Fault("stop period everything EIO", "stop", "period", ALL, "error=EIO"),
    # On a store that is there, when the proxy starts. What cannot be read is left behind, loudly, after the last noted entry.
    *(Fault(f"start {seed} {target} {calls.split(',')[0]} {error} {count or 'all'}", "start", target, calls, f"error={error}", count, seed=seed,
            fails=fails, names=("cannot read the audit period",) if told and seed in told else ())
      for seed in ("closed", "crashed")
      for target, calls, error, count, fails, told in (
          ("db", "openat", "EIO", "", True, ()),
          ("db", "openat", "EROFS", "", True, ()),
          ("db", "statx,fstat", "EIO", "", True, ("closed",)),
          ("db", "pwrite64", "EIO", "", True, ()),
          ("db", "pwrite64", "ENOSPC", "", True, ()),
          ("db", SYNC, "EIO", "", True, ()),
          ("conf", "openat", "EIO", "", True, ()),
          ("conf", "write", "ENOSPC", "", True, ()),
          ("blobs", "mkdir", "EIO", "", True, ()),
          ("period", "openat", "EMFILE", "", True, ()),
          ("period", "fsync", "EIO", "", True, ()),
          ("period", ALL, "EIO", "", True, ("closed", "crashed")),
          ("journal", "openat", "EIO", "", True, ("closed", "crashed")),
          ("journal", "fallocate,pwrite64", "ENOSPC", "", True, ()),
          ("summaries", "openat,read", "EIO", "", False, ()),
      )),
    Fault("start closed db read EIO", "start", "db", "read,pread64", "error=EIO", fails=False, names=("cannot read the audit period",)),
    Fault("start closed db read EIO once", "start", "db", "read,pread64", "error=EIO", "2", fails=False, names=("cannot read the audit period",)),
    Fault("start crashed journal read EIO", "start", "journal", "read", "error=EIO", seed="crashed", fails=False, names=("cannot read the audit period",)),
    Fault("start head read EIO", "start", "head", "read", "error=EIO", fails=False),
    Fault("start none db write EIO", "start", "db", "pwrite64", "error=EIO", seed="none"),
    Fault("start none db openat EIO", "start", "db", "openat", "error=EIO", seed="none"),
    Fault("start none conf write ENOSPC", "start", "conf", "write", "error=ENOSPC", seed="none"),
    Fault("start none period fsync EIO", "start", "period", "fsync", "error=EIO", seed="none"),
]

# Of the command: {question} x {what cannot be read}. Salvage reads past it, and says how much that was.
READS = {"list": ("list", "--json", "--config", "CONFIG"), "verify": ("verify", "--config", "CONFIG"), "stats": ("stats", "--config", "CONFIG"),
         "export": ("export", "--json", "-o", "NEW", "--config", "CONFIG"), "backup": ("backup", "NEW", "--config", "CONFIG")}
SALVAGE = ("salvage", "PERIOD", "-o", "NEW")
READ = "read,pread64"


def asked(name, command, target, calls, count="", **more):
    return Fault(f"audit {name} {target} {calls.split(',')[0]} EIO {count or 'all'}", "start", target, calls, "error=EIO", count, seed="crashed",
                 command=command, **more)


COMMANDS = [
    *(asked(name, command, target, calls, count, names=(target,))
      for name, command in READS.items()
      for target, calls, count in (("db", READ, ""), ("db", READ, "2"), ("db", "openat", ""), ("journal", "openat", ""), ("journal", READ, ""))),
    *(asked("salvage", SALVAGE, target, READ, count, names=("the disk could not read",))
      for target, count in (("db", ""), ("db", "3..6"), ("journal", ""))),
    asked("salvage", SALVAGE, "db", READ, "2", fails=False),
    asked("salvage", SALVAGE, "db", "openat", names=("db",)),
    asked("salvage", SALVAGE, "journal", "openat", names=("journal",)),
]

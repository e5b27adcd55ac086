"""What the benchmarks share: the machine's name, a command's cost, a row of the table."""

import os
import platform
import subprocess
import sys
import time


def machine():
    """Processor and system, as the first line of every benchmark says them."""
    return f"machine: {os.cpu_count()} × {processor()}, {platform.system()} {platform.release()}"


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()


def timed(command, **more):
    """Output, wall seconds, processor seconds and peak MiB of one run, which has to end well. The
    output is empty where `stdout` leads elsewhere."""
    start = time.monotonic()
    process = subprocess.Popen(command, **{"stdout": subprocess.PIPE, **more})
    output = process.stdout.read() if process.stdout else b""
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{command} ended with {process.returncode}")
    return output, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def row(first_width, width, *cells):
    """A row of the table: the first cell to the left, the others to the right."""
    print(f"{cells[0]:<{first_width}}" + "".join(f"{it:>{width}}" for it in cells[1:]), flush=True)

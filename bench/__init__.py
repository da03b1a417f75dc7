"""The claims of speed and memory, one file each, measured against peers in the same run: `python -m bench`.

    warm        processor time of a warm request, against nginx and Caddy
    sizes       the same for answers of 64 B, 16 KB and 1 MB, connections kept open and new ones
    workers     requests a second on all cores, against nginx and Caddy
    websocket   processor time of a message and its echo, against nginx and Caddy
    transfer    1 GB each way, against nginx, and the memory that it takes
    latency     what the gateway adds to p99 at half load, against nginx
    wake        what the gateway adds to the app's own start
    containers  what it adds to Docker's start, and the wake of what is paused
    proxyd      a wake against systemd-socket-proxyd
    held        10,000 requests held through one wake
    crowd       10,000 idle connections
    many        10,000 sleeping services
    idle        memory of a gateway whose services sleep
    soak        wakes and sleeps under load: errors, and whether memory stays flat
    sim         simulated interleavings a second
    aws         the functions on AWS against those that one writes by hand

The others are the instruments: `peers` starts what is compared; `load`, `herd`, `asker` and `browser` are clients;
`stub` and `bulk` are apps; `activate` plays systemd; `handler` calls a function; `proc` reads /proc; `table` and
`chart` show what was found.
"""

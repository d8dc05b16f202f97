# Sourced: gives this shell a private podman (own store, own configuration, nothing under /etc or
# /var) below $1, and $1/bin first on PATH for a `docker` that is that podman (image.mjs).
# Why each setting: a test machine's root may lack CAP_SYS_RESOURCE, and its cgroups may be hybrid,
# which crun refuses.
podman_env() {
    local dir=$1 nofile nproc pid_max
    mkdir -p "$dir/conf" "$dir/bin"
    nofile=$(ulimit -Hn)
    nproc=$(ulimit -Hu)
    pid_max=$(cat /proc/sys/kernel/pid_max)
    # podman's own defaults are higher than what may be set here, and it lowers its NPROC to pid_max.
    [ "$nofile" = unlimited ] && nofile=1048576
    { [ "$nproc" = unlimited ] || [ "$nproc" -gt "$pid_max" ]; } && nproc=$pid_max
    cat > "$dir/conf/containers.conf" <<CONF
[containers]
log_driver = "k8s-file"
default_ulimits = ["nofile=$nofile:$nofile", "nproc=$nproc:$nproc"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
image_default_format = "docker"
lock_type = "file"
tmp_dir = "$dir/libpod"
[network]
network_backend = "netavark"
network_config_dir = "$dir/networks"
CONF
    printf '[storage]\ndriver = "overlay"\ngraphroot = "%s"\nrunroot = "%s"\n' \
        "$dir/graph" "$dir/run" > "$dir/conf/storage.conf"
    printf 'unqualified-search-registries = ["docker.io"]\nshort-name-mode = "disabled"\n' \
        > "$dir/conf/registries.conf"
    export CONTAINERS_CONF=$dir/conf/containers.conf
    export CONTAINERS_STORAGE_CONF=$dir/conf/storage.conf
    export CONTAINERS_REGISTRIES_CONF=$dir/conf/registries.conf
    export PATH=$dir/bin:$PATH
}

podman_env_remove() {
    podman rm -af -t 0 > /dev/null 2>&1
    podman rmi -af > /dev/null 2>&1
    umount "$1/graph/overlay" 2> /dev/null
    rm -rf "$1"
}

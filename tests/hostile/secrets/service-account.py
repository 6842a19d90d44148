# tries: the tokens and metadata that a cluster or a cloud may leave in a container
# outcomes: [succeeded]
# stdout: "went on\n"
# limits: { wall_ms: 5000 }
import glob, os

places = ["/var/run/secrets", "/run/secrets", "/var/lib/kubelet", "/etc/kubernetes", "/root/.kube", "/root/.docker",
          "/root/.aws", "/root/.ssh", "/home", "/var/lib/cloud", "/run/containerd", "/run/docker.sock", "/var/run/docker.sock",
          "/run/crio", "/var/lib/containerd", "/run/dbus", "/run/systemd", "/etc/ssl/private", "/etc/sudoers", "/etc/gshadow"]
for place in places:
    for folder, _, files in os.walk(place):
        for name in files:
            try:
                print("ESCAPED", folder, name, open(os.path.join(folder, name), "rb").read(200))
            except OSError:
                pass
    if os.path.exists(place) and not os.path.isdir(place) and os.access(place, os.R_OK):
        print("ESCAPED", place)
for name in os.environ:
    if name.startswith("KUBERNETES_") or name.endswith("_SERVICE_HOST") or "TOKEN" in name:
        print("ESCAPED", name)
print("went on")

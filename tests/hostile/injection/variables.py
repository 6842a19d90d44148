# tries: templates, shells and manifests, by its variables
# outcomes: [succeeded]
# stdout: "went on\n"
# env: { TEMPLATE: "{{ .Values.secret }}", SHELLED: "$(cat /etc/shadow)", EXPANDED: "$(HOSTNAME)$$(X)", MANIFEST: "x\n  - name: y\n    hostPath: {path: /}", __proto__: polluted, constructor: x, toString: y }
# limits: { wall_ms: 5000 }
import os

expected = {
    "TEMPLATE": "{" + "{ .Values.secret }}",
    "SHELLED": "$(cat /etc/shadow)",
    "EXPANDED": "$(HOSTNAME)$$(X)",
    "MANIFEST": "x\n  - name: y\n    hostPath: {path: /}",
    "constructor": "x",
    "toString": "y",
}
print("went on" if all(os.environ.get(name) == value for name, value in expected.items()) else dict(os.environ))

import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { readImages } from "../../api/kubernetes-settings.ts";
import { SettingsError } from "../../api/setting.ts";
import { readSettings, settingsTable } from "../../api/settings.ts";
import { settingsMarkdown } from "../../api/settings-table.ts";
import { loadLanguages } from "../../core/languages.ts";
import { LIMITS, LIMIT_NAMES, limitsFrom } from "../../core/limits.ts";
import { temporaryFolder } from "../support/server.ts";

const REGISTRY = loadLanguages(join(import.meta.dirname, "../../docker"));
const KEY = "ada:0123456789abcdef";
const MiB = 1024 * 1024;

function refusalOf(environment: Record<string, string>): string {
  try {
    readSettings(environment);
  } catch (error) {
    if (error instanceof SettingsError) return error.message;
    throw error;
  }
  throw new Error("accepted");
}

test("without any variable the defaults hold", () => {
  expect(readSettings({})).toMatchObject({
    backend: "local",
    host: { address: "127.0.0.1", loopback: true },
    port: 8080,
    apiKeys: [],
    allowAnonymous: false,
    maxRunning: undefined,
    maxQueued: 1000,
    resultTtlMs: 86_400_000,
    drainMs: 30_000,
    maxProgramBytes: MiB,
    maxStdinBytes: 10 * MiB,
    rateLimitPerMinute: 12_000,
    trustProxy: false,
    frameAncestors: ["'none'"],
    logLevel: "info",
    limits: {
      default: limitsFrom((name) => LIMITS[name].default),
      maximum: limitsFrom((name) => LIMITS[name].maximum),
    },
  });
});

test("an empty variable is one that is not set, and unknown ones are none of ours", () => {
  const empty = Object.fromEntries([...settingsTable({}, REGISTRY).keys()].map((name) => [name, ""]));
  expect(readSettings({ ...empty, PATH: "/bin", SOMETHING: "x" })).toEqual(readSettings({}));
});

test("every variable's default is one that it allows", () => {
  for (const [name, { schema, default: initial }] of settingsTable({}, REGISTRY)) {
    expect(schema.safeParse(initial).success, name).toBe(true);
  }
});

describe("a variable that is set counts", () => {
  test.for([
    ["HOST", "::1", { host: { address: "::1", loopback: true } }],
    ["HOST", "localhost", { host: { address: "localhost", loopback: true } }],
    ["HOST", "127.1.2.3", { host: { address: "127.1.2.3", loopback: true } }],
    ["PORT", "0", { port: 0 }],
    ["MAX_RUNNING", "3", { maxRunning: 3 }],
    ["RATE_LIMIT_PER_MINUTE", "0", { rateLimitPerMinute: 0 }],
    ["TRUST_PROXY", "true", { trustProxy: true }],
    ["TRUST_PROXY", "10.0.0.0/8, ::1,loopback", { trustProxy: ["10.0.0.0/8", "::1", "loopback"] }],
    ["DATA_DIR", "/srv/runs", { dataDir: "/srv/runs" }],
    ["FRAME_ANCESTORS", "self", { frameAncestors: ["'self'"] }],
    [
      "FRAME_ANCESTORS",
      "self, https://*.example.org,http://a.example:8080",
      { frameAncestors: ["'self'", "https://*.example.org", "http://a.example:8080"] },
    ],
    ["LOG_LEVEL", "debug", { logLevel: "debug" }],
    ["CPU_LIMIT", "2", { limits: { default: { cpu_millicores: 2000 }, maximum: { cpu_millicores: 2000 } } }],
    ["CPU_LIMIT", "0.29", { limits: { default: { cpu_millicores: 290 }, maximum: { cpu_millicores: 290 } } }],
    ["CPU_LIMIT", "250m", { limits: { default: { cpu_millicores: 250 }, maximum: { cpu_millicores: 250 } } }],
    [
      "MEMORY_LIMIT",
      "64Mi",
      { limits: { default: { memory_bytes: 64 * MiB }, maximum: { memory_bytes: 1024 * MiB } } },
    ],
    [
      "MEMORY_LIMIT",
      "1.5Gi",
      { limits: { default: { memory_bytes: 1536 * MiB }, maximum: { memory_bytes: 1536 * MiB } } },
    ],
    ["MEMORY_LIMIT", "100M", { limits: { default: { memory_bytes: 100_000_000 } } }],
    ["MEMORY_LIMIT", "268435456", { limits: { default: { memory_bytes: 256 * MiB } } }],
    [
      "MAX_MEMORY_LIMIT",
      "512Mi",
      { limits: { default: { memory_bytes: 256 * MiB }, maximum: { memory_bytes: 512 * MiB } } },
    ],
    ["DEFAULT_WALL_MS", "70000", { limits: { default: { wall_ms: 70_000 }, maximum: { wall_ms: 70_000 } } }],
    ["KUBECONFIG", "/etc/a:/etc/b", { kubernetes: { kubeconfig: "/etc/a:/etc/b" } }],
    ["KUBERNETES_NAMESPACE", "sandboxes", { kubernetes: { namespace: "sandboxes" } }],
    ["JOB_TEMPLATE_DIR", "/etc/templates", { kubernetes: { templateDir: "/etc/templates" } }],
    ["CPU_REQUEST", "0.1", { kubernetes: { jobs: { cpuRequestMillicores: 100 } } }],
    ["IMAGE_PULL_SECRETS", "a, b", { kubernetes: { jobs: { imagePullSecrets: ["a", "b"] } } }],
    ["HOST_USERS", "false", { kubernetes: { jobs: { hostUsers: false } } }],
    ["SERVICE_ACCOUNT", "sandbox", { kubernetes: { jobs: { serviceAccount: "sandbox" } } }],
    ["NODE_SELECTOR", "a/b=c,d=", { kubernetes: { jobs: { nodeSelector: { "a/b": "c", d: "" } } } }],
    ["WARM_POOL", "python=2,nodejs=1", { kubernetes: { warmPool: new Map(Object.entries({ python: 2, nodejs: 1 })) } }],
    [
      "TOLERATIONS",
      "spot,dedicated=x:NoSchedule",
      {
        kubernetes: {
          jobs: {
            tolerations: [
              { key: "spot", operator: "Exists" },
              { key: "dedicated", operator: "Equal", value: "x", effect: "NoSchedule" },
            ],
          },
        },
      },
    ],
    ["MAX_WALL_MS", "300000", { limits: { default: { wall_ms: 10_000 }, maximum: { wall_ms: 300_000 } } }],
  ] as const)("%s=%s", ([name, value, expected]) => {
    expect(readSettings({ [name]: value })).toMatchObject(expected);
  });

  test("API_KEYS and an address for everyone", () => {
    expect(readSettings({ HOST: "0.0.0.0", API_KEYS: KEY })).toMatchObject({
      host: { address: "0.0.0.0", loopback: false },
      apiKeys: [{ name: "ada", secret: "0123456789abcdef" }],
    });
    expect(readSettings({ HOST: "::", ALLOW_ANONYMOUS: "true" })).toMatchObject({ allowAnonymous: true });
  });

  test("every limit by both its names", () => {
    for (const name of LIMIT_NAMES) {
      if (name === "cpu_millicores" || name === "memory_bytes") continue;
      const [lower, upper] = [LIMITS[name].minimum, LIMITS[name].maximum + 1];
      const { limits } = readSettings({
        [`DEFAULT_${name.toUpperCase()}`]: `${lower}`,
        [`MAX_${name.toUpperCase()}`]: `${upper}`,
      });
      expect([limits.default[name], limits.maximum[name]]).toEqual([lower, upper]);
    }
  });
});

test("the data goes where programs keep their state, which is another place for root", () => {
  const root = process.getuid?.() === 0 ? "/var/lib/sandbox-api" : undefined;
  expect(readSettings({ XDG_STATE_HOME: "/x" }).dataDir).toBe(root ?? "/x/sandbox-api");
  expect(readSettings({ HOME: "/home/ada" }).dataDir).toBe(root ?? "/home/ada/.local/state/sandbox-api");
});

describe("a wrong variable is refused in one line that names it, its value and what is allowed", () => {
  test.for([
    ["BACKEND", "docker", "local or kubernetes"],
    ["BACKEND", "Local", "local or kubernetes"],
    ["HOST", "example.org", "an IP address or localhost"],
    ["HOST", "127.0.0.1:80", "an IP address"],
    ["PORT", "65536", "from 0 to 65535"],
    ["PORT", "-1", "an integer"],
    ["PORT", "8080.0", "an integer"],
    ["PORT", "0x50", "an integer"],
    ["PORT", " 80", "an integer"],
    ["PORT", "80\nHOST=0.0.0.0", "an integer"],
    ["ALLOW_ANONYMOUS", "yes", "true or false"],
    ["ALLOW_ANONYMOUS", "TRUE", "true or false"],
    ["DATA_DIR", "runs", "an absolute path"],
    ["MAX_RUNNING", "0", "from 1"],
    ["MAX_QUEUED", "many", "an integer"],
    ["RESULT_TTL_SECONDS", "0", "from 1"],
    ["DRAIN_SECONDS", "99999", "to 3600"],
    ["MAX_PROGRAM_BYTES", "99999999999", "an integer from 1"],
    ["MAX_STDIN_BYTES", "1MB", "an integer"],
    ["RATE_LIMIT_PER_MINUTE", "-5", "an integer"],
    ["TRUST_PROXY", "maybe", "true, false, or IP addresses"],
    ["TRUST_PROXY", "10.0.0.0/33", "IP addresses"],
    ["TRUST_PROXY", "10.0.0.0/8/8", "IP addresses"],
    ["TRUST_PROXY", "10.0.0.1,,", "IP addresses"],
    ["FRAME_ANCESTORS", "none,self", "none, self, or origins"],
    ["FRAME_ANCESTORS", "*", "none, self, or origins"],
    ["FRAME_ANCESTORS", "https://a.example; script-src *", "none, self, or origins"],
    ["FRAME_ANCESTORS", "self,,https://a.example", "none, self, or origins"],
    ["CALLBACK_HOSTS", "https://hooks.example.org/path", "a host such as hooks.example.org"],
    ["CALLBACK_HOSTS", "user@hooks.example.org", "a host such as hooks.example.org"],
    ["CALLBACK_HOSTS", "*.example.org", "a host such as hooks.example.org"],
    ["CALLBACK_HOSTS", "ftp://hooks.example.org", "a host such as hooks.example.org"],
    ["CALLBACK_HOSTS", "hooks.example.org:99999", "a host such as hooks.example.org"],
    ["CALLBACK_NETWORKS", "10.0.0.0/33", "an IP address or range"],
    ["CALLBACK_NETWORKS", "localhost", "an IP address or range"],
    ["CALLBACK_TRIES", "0", "an integer from 1 to 20"],
    ["LOG_LEVEL", "verbose", "fatal, error, warn, info, debug, trace or silent"],
    ["CPU_LIMIT", "0.0001", "such as 500m"],
    ["CPU_LIMIT", "0", "such as 500m"],
    ["CPU_LIMIT", "half", "such as 500m"],
    ["CPU_LIMIT", "5m", "from 10m"],
    ["MEMORY_LIMIT", "256MB", "such as 256Mi"],
    ["MEMORY_LIMIT", "-1Mi", "such as 256Mi"],
    ["MEMORY_LIMIT", "0.5", "such as 256Mi"],
    ["MEMORY_LIMIT", "1Mi", "from 4194304"],
    ["MEMORY_LIMIT", "99Ti", "to 1099511627776"],
    ["MAX_MEMORY_LIMIT", "256mi", "such as 256Mi"],
    ["DEFAULT_WALL_MS", "0", "from 1"],
    ["DEFAULT_WALL_MS", "10s", "an integer"],
    ["MAX_WALL_MS", "86400001", "to 86400000"],
    ["DEFAULT_OPEN_FILES", "7", "from 8"],
    ["MAX_OUTPUT_BYTES", "1e6", "an integer"],
    ["KUBERNETES_NAMESPACE", "My_Space", "a name of lower-case letters"],
    ["JOB_TEMPLATE_DIR", "templates", "an absolute path"],
    ["JOB_TTL_SECONDS", "-1", "an integer from 0"],
    ["QUEUE_SECONDS", "0", "an integer from 1"],
    ["CPU_REQUEST", "lots", "such as 500m"],
    ["IMAGE_PULL_POLICY", "Sometimes", "Always, IfNotPresent or Never"],
    ["IMAGE_PULL_SECRETS", "a,,b", "or several with commas"],
    ["RUNTIME_CLASS", "gVisor", "a name of lower-case letters"],
    ["HOST_USERS", "no", "true or false"],
    ["NODE_SELECTOR", "pool", "as in pool=sandboxes"],
    ["NODE_SELECTOR", "pool=a b", "as in pool=sandboxes"],
    ["TOLERATIONS", "a=b:Sometimes", "as in sandboxes=only:NoSchedule"],
    ["WARM_POOL", "python", "a name and a number from 1 to 1000 as in python=2"],
    ["WARM_POOL", "python=0", "a name and a number from 1 to 1000 as in python=2"],
    ["WARM_POOL", "python=1,python=2", "each name once"],
    ["PRIORITY_CLASS", "-", "a name of lower-case letters"],
    ["QUEUE_NAME", "a b", "a name of lower-case letters"],
    ["SERVICE_ACCOUNT", "Sandbox", "a name of lower-case letters"],
  ] as const)("%s=%s", ([name, value, allowed]) => {
    const message = refusalOf({ [name]: value });
    expect(message).toContain(`${name}=${JSON.stringify(value)}`);
    expect(message).toContain(allowed);
    expect(message).not.toContain("\n");
  });

  test("and a very long value is cut", () => {
    expect(refusalOf({ PORT: "1".repeat(100_000) }).length).toBeLessThan(400);
  });

  test("but a key's secret is never shown", () => {
    const message = refusalOf({ API_KEYS: "ada:0123456789abcdef,ada:fedcba9876543210" });
    expect(message).toMatch(/^API_KEYS: entry 2 \(ada\)/);
    expect(message).not.toMatch(/0123456789abcdef|fedcba9876543210/);
  });
});

describe("callbacks", () => {
  const secret = "0123456789abcdef0123456789abcdef";

  test("are made where hosts and a secret are given, each host as one origin", () => {
    const CALLBACK_HOSTS = "Hooks.Example.org, hooks.example.org:443,http://127.1:8080,https://[::1]:8443";
    expect(
      readSettings({ CALLBACK_HOSTS, CALLBACK_SECRET: secret, CALLBACK_NETWORKS: "10.0.0.0/8,::1" }),
    ).toMatchObject({
      callbacks: {
        origins: ["https://hooks.example.org", "http://127.0.0.1:8080", "https://[::1]:8443"],
        networks: ["10.0.0.0/8", "::1"],
        secret,
        tries: 6,
      },
    });
    expect(readSettings({ CALLBACK_SECRET: secret }).callbacks).toBeUndefined();
  });

  test("have a secret that may be in a file", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "secret");
    await writeFile(path, `${secret}\n`);
    for (const CALLBACK_SECRET of [path, `file:${path}`]) {
      expect(readSettings({ CALLBACK_HOSTS: "a.example", CALLBACK_SECRET }).callbacks).toMatchObject({ secret });
    }
  });

  test.for([
    ["", /^CALLBACK_HOSTS="https:\/\/a\.example" is not allowed without CALLBACK_SECRET/],
    ["0123456789abcdef", /^CALLBACK_SECRET is not allowed: at least 32/],
    ["ü".repeat(40), /^CALLBACK_SECRET is not allowed: at least 32/],
    ["/nowhere/secret", /^CALLBACK_SECRET: file \/nowhere\/secret can't be read/],
  ] as const)("are refused with %j as their secret, which is not shown", ([CALLBACK_SECRET, message]) => {
    const refused = refusalOf({ CALLBACK_HOSTS: "a.example", CALLBACK_SECRET });
    expect(refused).toMatch(message);
    expect(refused).not.toMatch(/\n|0123456789abcdef|üüü/);
  });
});

describe("the languages' images", () => {
  test("are all moved by one registry and one tag, but those that are named themselves", () => {
    const environment = {
      IMAGE_REGISTRY: "registry.example:5000/team",
      IMAGE_TAG: "1.2",
      SANDBOX_IMAGE_C: "c@sha256:0",
    };
    const images = readImages(environment, REGISTRY);
    expect(images.get("python-data")).toBe("registry.example:5000/team/sandbox/python-data:1.2");
    expect(images.get("c")).toBe("c@sha256:0");
    expect(readImages({}, REGISTRY).get("c")).toBe("sandbox/c");
  });

  test.for([
    ["IMAGE_REGISTRY", "registry.example/", "a host"],
    ["IMAGE_REGISTRY", "https://registry.example", "a host"],
    ["IMAGE_TAG", "1:2", "letters, digits"],
    ["SANDBOX_IMAGE_C", "a b", "the name of an image"],
  ] as const)("are refused as %s=%s", ([name, value, allowed]) => {
    expect(() => readImages({ [name]: value }, REGISTRY)).toThrow(`${name}="${value}" is not allowed: ${allowed}`);
  });
});

describe("variables that contradict each other are refused with both names", () => {
  test.for([
    [{ QUEUE_NAME: "sandboxes", MAX_RUNNING: "4" }, ["QUEUE_NAME", "sandboxes", "MAX_RUNNING"]],
    [{ QUEUE_NAME: "sandboxes", WARM_POOL: "python=1" }, ["QUEUE_NAME", "sandboxes", "WARM_POOL"]],
    [{ DEFAULT_WALL_MS: "20000", MAX_WALL_MS: "15000" }, ["DEFAULT_WALL_MS", "20000", "MAX_WALL_MS", "15000"]],
    [{ MAX_WALL_MS: "5000" }, ["DEFAULT_WALL_MS", "10000", "MAX_WALL_MS", "5000"]],
    [{ MEMORY_LIMIT: "1Gi", MAX_MEMORY_LIMIT: "512Mi" }, ["MEMORY_LIMIT", "1Gi", "MAX_MEMORY_LIMIT", "512Mi"]],
    [{ HOST: "0.0.0.0" }, ["HOST", "0.0.0.0", "API_KEYS", "ALLOW_ANONYMOUS"]],
    [{ HOST: "192.0.2.1", ALLOW_ANONYMOUS: "false" }, ["HOST", "192.0.2.1", "API_KEYS", "ALLOW_ANONYMOUS"]],
    [{ HOST: "::" }, ["HOST", "API_KEYS", "ALLOW_ANONYMOUS"]],
    [{ HOST: "::ffff:127.0.0.1" }, ["HOST", "API_KEYS", "ALLOW_ANONYMOUS"]],
  ] as const)("%j", ([environment, words]) => {
    const message = refusalOf(environment);
    for (const word of words) expect(message).toContain(word);
    expect(message).not.toContain("\n");
  });
});

test("the table for the README has a row for every variable and is the same on every machine", () => {
  const rows = settingsMarkdown(REGISTRY).trim().split("\n").slice(2);
  expect(rows.map((row) => /^\| `(\w+)` \|/.exec(row)?.[1])).toEqual([...settingsTable({}, REGISTRY).keys()]);
  for (const row of rows) expect(row.replaceAll(String.raw`\|`, "").split("|")).toHaveLength(5);
});

import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";

import rateLimit, { normalizeIP } from "@fastify/rate-limit";
import type { ZodTypeProvider } from "@fastify/type-provider-zod";
import Fastify, { LogController } from "fastify";
import type { FastifyRequest, FastifySchemaCompiler } from "fastify";
import type { z } from "zod";

import type { Backend } from "../core/backend.ts";
import { ServiceError } from "../core/errors.ts";
import type { LanguageRegistry } from "../core/languages.ts";
import { boundsFor } from "../core/limits.ts";
import { Authenticator, checkLocalHost } from "./auth.ts";
import { LanguageAvailability } from "./availability.ts";
import { BodyReader, checkContentType } from "./body.ts";
import { refuseConnection } from "./client-errors.ts";
import type { ApiContext, App } from "./context.ts";
import { AllowedMethods, handleErrors, sendError } from "./error-handling.ts";
import { refusal } from "./issues.ts";
import type { Metrics } from "./metrics.ts";
import { collectRoutes } from "./openapi.ts";
import { artifactRoute } from "./routes/artifact.ts";
import { docsRoutes } from "./routes/docs.ts";
import { eventsRoute } from "./routes/events.ts";
import { healthRoutes } from "./routes/health.ts";
import { INTERACTIVE_PATH, bringsKey, interactiveRoute } from "./routes/interactive.ts";
import { languagesRoute } from "./routes/languages.ts";
import { metricsRoute } from "./routes/metrics.ts";
import { pageRoutes } from "./routes/page.ts";
import { resultRoute } from "./routes/result.ts";
import { cancelRoute, createRoutes } from "./routes/run.ts";
import type { Settings } from "./settings.ts";
import * as timeouts from "./timeouts.ts";

const KiB = 1024;
const MiB = 1024 * KiB;
/** What all bodies may take that are being received at one time, unless one alone may be larger. */
const BODY_BUDGET_BYTES = 256 * MiB;
/** Connections beyond those that can wait for a run: for polling, events, probes. */
const SPARE_CONNECTIONS = 1024;

/** An artifact's name of 255 bytes, each of them escaped. */
const MAX_PARAM_CHARACTERS = 3 * 255;

const SECURITY_HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

export interface AppParts {
  settings: Settings;
  backend: Backend;
  registry: LanguageRegistry;
  metrics: Metrics;
}

const validatorCompiler: FastifySchemaCompiler<z.ZodType> =
  ({ schema, httpPart }) =>
  (data) => {
    const parsed = schema.safeParse(data);
    return parsed.success ? { value: parsed.data } : { error: refusal(parsed.error, schema, data, httpPart ?? "body") };
  };

function createServer({ settings }: AppParts): App {
  const app = Fastify({
    bodyLimit: Number.MAX_SAFE_INTEGER, // BodyReader has the limit.
    clientErrorHandler: refuseConnection,
    connectionTimeout: timeouts.CONNECTION_TIMEOUT_MS,
    frameworkErrors: (error, request, reply) => void sendError(error, request, reply.headers(SECURITY_HEADERS)),
    genReqId: () => randomUUID(),
    http: {
      connectionsCheckingInterval: timeouts.CONNECTIONS_CHECK_MS,
      headersTimeout: timeouts.HEADERS_TIMEOUT_MS,
      keepAlive: true,
      keepAliveInitialDelay: timeouts.TCP_KEEP_ALIVE_DELAY_MS,
    },
    keepAliveTimeout: timeouts.KEEP_ALIVE_TIMEOUT_MS,
    logger: {
      level: settings.logLevel,
      redact: ["req.headers.authorization", 'req.headers["x-api-key"]'],
      stream: process.stderr,
    },
    logController: new LogController({ disableRequestLogging: true }),
    requestTimeout: timeouts.REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: MAX_PARAM_CHARACTERS },
    return503OnClosing: false, // The hook below answers, with a body like every other error's.
    trustProxy: settings.trustProxy,
  }).withTypeProvider<ZodTypeProvider>();
  app.server.maxConnections = 2 * ((settings.maxRunning ?? 0) + settings.maxQueued) + SPARE_CONNECTIONS;
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.removeAllContentTypeParsers();
  app.decorateRequest("tenant", "");
  return app;
}

function watchRequests(app: App, { metrics, closing }: ApiContext): void {
  app.addHook("onRequest", (request, reply, done) => {
    reply.headers(SECURITY_HEADERS);
    if (closing.aborted && request.routeOptions.url !== "/healthz") {
      throw new ServiceError("shutting_down", "the server is stopping; send the request again");
    }
    done();
  });
  app.addHook("onResponse", async (request, reply) => {
    const { method, routeOptions } = request;
    const { statusCode: status, elapsedTime } = reply;
    metrics.answered(routeOptions.url, method, status);
    request.log.debug({ method, route: routeOptions.url, status, elapsedMs: elapsedTime }, "answered");
  });
}

/** The routes that ask for a key: content type first, then key, then rate; bodies are read when all three are right. */
async function protectedRoutes(app: App, context: ApiContext): Promise<void> {
  const { settings } = context;
  const authenticator = new Authenticator(settings.apiKeys);
  const localOnly = settings.apiKeys.length === 0 && !settings.allowAnonymous;
  app.addHook("onRequest", (request, _reply, done) => {
    if (request.method === "POST") checkContentType(request.headers);
    if (localOnly) checkLocalHost(request.headers);
    // A browser's page can't give a WebSocket a header; its first message then has the key.
    const keyFollows =
      request.routeOptions.url === INTERACTIVE_PATH && settings.apiKeys.length > 0 && !bringsKey(request.headers);
    request.tenant = keyFollows ? "" : authenticator.authenticate(request.headers);
    done();
  });
  // The body of a DELETE means nothing, and some clients announce one that they do not send.
  app.addContentTypeParser("*", (_request, payload, done) => {
    payload.resume();
    done(null);
  });
  cancelRoute(app, context);
  resultRoute(app, context);
  artifactRoute(app, context);
  eventsRoute(app, context);
  languagesRoute(app, context);
  metricsRoute(app, context);
  await app.register(async (posts: App) => {
    const perMinute = settings.rateLimitPerMinute;
    if (perMinute > 0) {
      await posts.register(rateLimit, {
        max: perMinute,
        timeWindow: 60_000,
        keyGenerator: ({ tenant, ip }: FastifyRequest) =>
          settings.apiKeys.length > 0 && tenant !== "" ? tenant : normalizeIP(ip),
        errorResponseBuilder: (_request, { ttl }) =>
          new ServiceError("rate_limited", `more than ${perMinute} runs were asked for in a minute`, {
            retry_after_seconds: ttl / 1000,
          }),
      });
    }
    const limitBytes = 2 * (settings.maxProgramBytes + settings.maxStdinBytes) + 64 * KiB;
    const reader = new BodyReader(limitBytes, Math.max(BODY_BUDGET_BYTES, 2 * limitBytes));
    posts.addContentTypeParser("application/json", async (request: FastifyRequest, payload: IncomingMessage) =>
      reader.read(payload, request.headers),
    );
    createRoutes(posts, context);
    await interactiveRoute(posts, context, authenticator);
  });
}

/** The HTTP API on `backend`; ready to `listen` or `inject`. */
export async function buildApp(parts: AppParts): Promise<App> {
  const { settings, backend, registry, metrics } = parts;
  const app = createServer(parts);
  const closing = new AbortController();
  app.addHook("preClose", async () => closing.abort());
  const availability = new LanguageAvailability(backend, registry);
  const bounds = new Map(registry.languages.map((language) => [language, boundsFor(settings.limits, language.limits)]));
  const context: ApiContext = {
    settings,
    backend,
    registry,
    boundsOf: (language) => bounds.get(language) ?? boundsFor(settings.limits, language.limits),
    availability,
    metrics,
    closing: closing.signal,
  };
  if (backend.probesFirst) app.addHook("onListen", () => void availability.all());
  handleErrors(app, closing.signal);
  watchRequests(app, context);
  await collectRoutes(app, settings.apiKeys.length > 0);
  const methods = new AllowedMethods(app);
  healthRoutes(app, context);
  docsRoutes(app, context);
  pageRoutes(app, context);
  await app.register(async (scope: App) => protectedRoutes(scope, context));
  methods.refuseOthers(app);
  await app.ready();
  return app;
}

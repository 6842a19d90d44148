import type { Availability, Backend } from "../core/backend.ts";
import type { Language, LanguageRegistry } from "../core/languages.ts";

/** How long a language counts as unavailable before it is looked for again, in milliseconds. */
const RETRY_AFTER_MS = 30_000;

interface Probe {
  answer: Promise<Availability>;
  /** Undefined while it is under way. */
  known: { availability: Availability; at: number } | undefined;
}

/** Which languages this server can run: each is looked for once, and again now and then where it was not found. */
export class LanguageAvailability {
  readonly #backend: Backend;
  readonly #registry: LanguageRegistry;
  readonly #probes = new Map<string, Probe>();

  constructor(backend: Backend, registry: LanguageRegistry) {
    this.#backend = backend;
    this.#registry = registry;
  }

  /** True until every language has been looked for that runs have to wait for. */
  get probing(): boolean {
    if (!this.#backend.probesFirst) return false;
    return this.#registry.languages.some((language) => this.#probes.get(language.name)?.known === undefined);
  }

  /** Whether the language is there; waits for its probe. Never rejects. */
  of(language: Language): Promise<Availability> {
    const probe = this.#probes.get(language.name);
    if (probe === undefined) return this.#probe(language);
    const { known } = probe;
    const stale = known !== undefined && !known.availability.available && performance.now() - known.at > RETRY_AFTER_MS;
    return stale ? this.#probe(language) : probe.answer;
  }

  /** Whether a run in the language can be accepted, with the version where it is known. Never rejects. */
  async forRun(language: Language): Promise<Availability | { available: true; version: null }> {
    if (this.#backend.probesFirst) return await this.of(language);
    return { available: true, version: null };
  }

  /** Looks for all languages. */
  async all(): Promise<ReadonlyMap<Language, Availability>> {
    const { languages } = this.#registry;
    return new Map(await Promise.all(languages.map(async (language) => [language, await this.of(language)] as const)));
  }

  #probe(language: Language): Promise<Availability> {
    const probe: Probe = { answer: this.#ask(language), known: undefined };
    this.#probes.set(language.name, probe);
    void probe.answer.then((availability) => {
      probe.known = { availability, at: performance.now() };
    });
    return probe.answer;
  }

  async #ask(language: Language): Promise<Availability> {
    try {
      return await this.#backend.probe(language);
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      return { available: false, reason: `${language.name} could not be looked for: ${problem}; it is tried again` };
    }
  }
}

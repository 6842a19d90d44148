import { signal } from "@preact/signals";

import { ApiClient } from "./api-client.ts";
import type { Language } from "./answers.ts";
import { Draft, requestOf } from "./draft.ts";
import { draftOfLink, linkFragment } from "./link.ts";
import { RunSession } from "./run/run-session.ts";

const FIRST_LANGUAGE = "python";

/** A question for a key, until it is answered. */
export interface KeyQuestion {
  why: string;
  answer: (key: string) => void;
  refuse: () => void;
}

/** Everything that the page holds: languages, a draft for each, and the run. */
export class Playground {
  readonly languages = signal<readonly Language[]>([]);
  readonly draft = signal(Draft.sample(FIRST_LANGUAGE));
  /** Why the languages are not known, for people. */
  readonly unreachable = signal("");
  /** What else went wrong outside of a run, for people. */
  readonly problem = signal("");
  readonly keyQuestion = signal<KeyQuestion | undefined>(undefined);
  readonly session: RunSession;
  readonly #api: ApiClient;
  /** What was written in other languages than the one that is shown. */
  readonly #others = new Map<string, Draft>();

  constructor() {
    this.#api = new ApiClient((why) => this.#askKey(why));
    this.session = new RunSession(this.#api);
  }

  get language(): Language | undefined {
    return this.languages.value.find(({ name }) => name === this.draft.value.language);
  }

  /** Asks which languages there are; says why when it is not told. */
  async loadLanguages(): Promise<void> {
    try {
      this.languages.value = await this.#api.languages();
      this.unreachable.value = "";
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.unreachable.value = `The languages could not be read: ${why}.`;
    }
  }

  /** Shows the program that the page's address holds, if it holds one. */
  async openLink(hash: string): Promise<void> {
    try {
      const saved = await draftOfLink(hash);
      if (saved !== undefined) this.draft.value = new Draft(saved);
    } catch (error) {
      this.problem.value = `${error instanceof Error ? error.message : String(error)}.`;
    }
  }

  choose(language: string): void {
    const { value: draft } = this.draft;
    this.#others.set(draft.language, draft);
    this.draft.value = this.#others.get(language) ?? Draft.sample(language);
  }

  showSample(): void {
    this.draft.value = Draft.sample(this.draft.value.language);
  }

  /** Whether requests carry a key. */
  get hasKey(): boolean {
    return this.#api.hasKey;
  }

  /** Runs the draft, unless a run is under way. */
  async run(): Promise<void> {
    if (this.session.phase.value.state === "active") return;
    await this.session.run(requestOf(this.draft.value.save()));
  }

  /** Runs the draft in a terminal, unless a run is under way. What is typed there takes the place of tests. */
  async runInTerminal(): Promise<void> {
    if (this.session.phase.value.state === "active") return;
    await this.session.converse(requestOf({ ...this.draft.value.save(), tests: [] }));
  }

  /** The page's address with the program in it. Throws when that would be too long. */
  async link(): Promise<string> {
    const url = new URL(location.href);
    url.hash = await linkFragment(this.draft.value.save());
    return url.href;
  }

  async #askKey(why: string): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    this.keyQuestion.value = { why, answer: resolve, refuse: () => reject(new Error("a key is wanted")) };
    try {
      return await promise;
    } finally {
      this.keyQuestion.value = undefined;
    }
  }
}

import { FAMILIES } from "./program.ts";
import { testCorpus } from "./corpus.ts";

testCorpus(FAMILIES);

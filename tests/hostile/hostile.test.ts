import { testCorpus } from "./corpus.ts";
import { familiesHere } from "./program.ts";

testCorpus(familiesHere());

import { source } from "./source.ts";

export interface LanguagePrograms {
  /** Prints `hello`. */
  hello: string;
  /**
   * Prints its arguments and the variable GREETING, each on a line; copies stdin to stdout; writes `a complaint` to
   * stderr; ends with exit code 3.
   */
  mirror: string;
  /** Prints its language's version. */
  version: string;
  /** Not a program, and what the language's tool says of it. */
  broken: { code: string; complaint: RegExp; compiled: boolean };
  /** A program of several files, the first being its entry, that prints `hello from afar`. */
  files: { name: string; content: string }[];
}

const C_VERSION = "__GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__";

/** What the suite runs in each language; a language of the registry that isn't here fails the suite. */
export const PROGRAMS: Record<string, LanguagePrograms> = {
  python: {
    hello: 'print("hello")',
    mirror: source`
      import os, shutil, sys
      for argument in sys.argv[1:]:
          print(argument)
      print(os.environ["GREETING"], flush=True)
      shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)
      print("a complaint", file=sys.stderr)
      sys.exit(3)
    `,
    version: "import platform; print(platform.python_version())",
    broken: { code: "print('no end", complaint: /SyntaxError/, compiled: false },
    files: [
      { name: "start.py", content: "import greeter\nfrom lands.far import NAME\ngreeter.greet(NAME)\n" },
      { name: "greeter.py", content: 'def greet(name):\n    print("hello from", name)\n' },
      { name: "lands/far.py", content: 'NAME = "afar"\n' },
    ],
  },
  nodejs: {
    hello: 'console.log("hello")',
    mirror: source`
      for (const argument of process.argv.slice(2)) console.log(argument);
      console.log(process.env.GREETING);
      console.error("a complaint");
      process.exitCode = 3;
      process.stdin.pipe(process.stdout);
    `,
    version: "console.log(process.versions.node)",
    broken: { code: "const = 1", complaint: /SyntaxError/, compiled: false },
    files: [
      { name: "start.js", content: 'const { greet } = require("./lib/greeter.js");\ngreet("afar");\n' },
      { name: "lib/greeter.js", content: 'exports.greet = (name) => console.log("hello from", name);\n' },
    ],
  },
  typescript: {
    hello: 'const greeting: string = "hello";\nconsole.log(greeting);\n',
    mirror: source`
      const words: readonly string[] = process.argv.slice(2);
      for (const word of words) console.log(word);
      console.log(process.env["GREETING"]);
      console.error("a complaint");
      process.exitCode = 3;
      process.stdin.pipe(process.stdout);
    `,
    version: "console.log(process.versions.node)",
    broken: { code: "const x: = 1;", complaint: /Syntax/i, compiled: false },
    files: [
      { name: "start.ts", content: 'import { greet } from "./greeter.ts";\ngreet("afar");\n' },
      {
        name: "greeter.ts",
        content: 'export function greet(name: string): void { console.log("hello from", name); }\n',
      },
    ],
  },
  bash: {
    hello: "echo hello",
    mirror: source`
      for argument; do echo "$argument"; done
      echo "$GREETING"
      cat
      echo "a complaint" >&2
      exit 3
    `,
    version: 'IFS=.; echo "${BASH_VERSINFO[*]:0:3}"',
    broken: { code: "if true; then", complaint: /syntax error/, compiled: false },
    files: [
      { name: "start.sh", content: "source lib/greeter.sh\ngreet afar\n" },
      { name: "lib/greeter.sh", content: 'greet() { echo "hello from $1"; }\n' },
    ],
  },
  c: {
    hello: '#include <stdio.h>\nint main(void) { puts("hello"); }\n',
    mirror: source`
      #include <stdio.h>
      #include <stdlib.h>
      int main(int count, char **words) {
        for (int i = 1; i < count; i++) puts(words[i]);
        puts(getenv("GREETING"));
        for (int c; (c = getchar()) != EOF;) putchar(c);
        fputs("a complaint\n", stderr);
        return 3;
      }
    `,
    version: `#include <stdio.h>\nint main(void) { printf("%d.%d.%d\\n", ${C_VERSION}); }\n`,
    broken: { code: "int main(void) { return nothing; }", complaint: /main\.c:1:.*error: .*nothing/, compiled: true },
    files: [
      { name: "start.c", content: '#include "greeter.h"\nint main(void) { greet("afar"); }\n' },
      { name: "greeter.h", content: "void greet(const char *name);\n" },
      {
        name: "greeter.c",
        content:
          '#include "greeter.h"\n#include <stdio.h>\nvoid greet(const char *name) { printf("hello from %s\\n", name); }\n',
      },
    ],
  },
  cpp: {
    hello: '#include <iostream>\nint main() { std::cout << "hello\\n"; }\n',
    mirror: source`
      #include <cstdlib>
      #include <iostream>
      int main(int count, char **words) {
        for (int i = 1; i < count; i++) std::cout << words[i] << '\n';
        std::cout << std::getenv("GREETING") << '\n' << std::cin.rdbuf();
        std::cerr << "a complaint\n";
        return 3;
      }
    `,
    version: `#include <cstdio>\nint main() { std::printf("%d.%d.%d\\n", ${C_VERSION}); }\n`,
    broken: { code: "int main() { return nothing; }", complaint: /main\.cpp:1:.*error: .*nothing/, compiled: true },
    files: [
      { name: "start.cpp", content: '#include "greeter.hpp"\nint main() { greet("afar"); }\n' },
      { name: "greeter.hpp", content: "#include <string>\nvoid greet(std::string name);\n" },
      {
        name: "lib/greeter.cc",
        content:
          '#include "../greeter.hpp"\n#include <cstdio>\nvoid greet(std::string name) { std::printf("hello from %s\\n", name.c_str()); }\n',
      },
    ],
  },
  java: {
    hello: 'class Main { public static void main(String[] args) { System.out.println("hello"); } }\n',
    mirror: source`
      public class Main {
        public static void main(String[] words) throws java.io.IOException {
          for (String word : words) System.out.println(word);
          System.out.println(System.getenv("GREETING"));
          System.in.transferTo(System.out);
          System.out.flush();
          System.err.println("a complaint");
          System.exit(3);
        }
      }
    `,
    version:
      'class Main { public static void main(String[] args) { System.out.println(System.getProperty("java.version")); } }\n',
    broken: {
      code: "class Main { public static void main(String[] args) { nothing(); } }",
      complaint: /Main\.java:1: error: cannot find symbol/,
      compiled: true,
    },
    files: [
      {
        name: "org/example/Start.java",
        content:
          'package org.example;\nclass Start { public static void main(String[] args) { Greeter.greet("afar"); } }\n',
      },
      {
        name: "org/example/Greeter.java",
        content:
          'package org.example;\nclass Greeter { static void greet(String name) { System.out.println("hello from " + name); } }\n',
      },
    ],
  },
  go: {
    hello: 'package main\n\nimport "fmt"\n\nfunc main() { fmt.Println("hello") }\n',
    mirror: source`
      package main

      import (
        "fmt"
        "io"
        "os"
      )

      func main() {
        for _, word := range os.Args[1:] {
          fmt.Println(word)
        }
        fmt.Println(os.Getenv("GREETING"))
        io.Copy(os.Stdout, os.Stdin)
        fmt.Fprintln(os.Stderr, "a complaint")
        os.Exit(3)
      }
    `,
    version: source`
      package main

      import (
        "fmt"
        "runtime"
        "strings"
      )

      func main() { fmt.Println(strings.TrimPrefix(runtime.Version(), "go")) }
    `,
    broken: { code: "package main\n\nfunc main() { nothing() }\n", complaint: /main\.go:3:.*nothing/, compiled: true },
    files: [
      { name: "start.go", content: 'package main\n\nfunc main() { greet("afar") }\n' },
      {
        name: "greeter.go",
        content:
          'package main\n\nimport (\n\t"fmt"\n\t"example.org/afar/words"\n)\n\nfunc greet(name string) { fmt.Println(words.Hello, name) }\n',
      },
      { name: "words/words.go", content: 'package words\n\nconst Hello = "hello from"\n' },
      { name: "go.mod", content: "module example.org/afar\n\ngo 1.19\n" },
    ],
  },
  rust: {
    hello: 'fn main() { println!("hello"); }\n',
    mirror: source`
      use std::{env, io, process};

      fn main() {
          for word in env::args().skip(1) {
              println!("{word}");
          }
          println!("{}", env::var("GREETING").unwrap());
          io::copy(&mut io::stdin(), &mut io::stdout()).unwrap();
          eprintln!("a complaint");
          process::exit(3);
      }
    `,
    version: source`
      fn main() {
          let output = std::process::Command::new("rustc").arg("--version").output().unwrap();
          let words = String::from_utf8(output.stdout).unwrap();
          println!("{}", words.split(' ').nth(1).unwrap().trim());
      }
    `,
    broken: { code: "fn main() { nothing(); }", complaint: /cannot find function `nothing`/, compiled: true },
    files: [
      { name: "start.rs", content: 'mod greeter;\n\nfn main() { greeter::greet("afar"); }\n' },
      {
        name: "greeter/mod.rs",
        content: 'mod words;\n\npub fn greet(name: &str) { println!("{} {name}", words::HELLO); }\n',
      },
      { name: "greeter/words.rs", content: 'pub const HELLO: &str = "hello from";\n' },
    ],
  },
  "python-data": {
    hello: source`
      import numpy, pandas
      print(pandas.Series(numpy.array(["hello"])).to_string(index=False))
    `,
    mirror: source`
      import os, shutil, sys
      import numpy
      for argument in numpy.array(sys.argv[1:]):
          print(argument)
      print(os.environ["GREETING"], flush=True)
      shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)
      print("a complaint", file=sys.stderr)
      sys.exit(3)
    `,
    version: "import platform; print(platform.python_version())",
    broken: { code: "import pandas\npandas.nothing()", complaint: /AttributeError/, compiled: false },
    files: [
      { name: "start.py", content: 'import pandas\nprint(pandas.read_csv("data/lands.csv")["name"].sum())\n' },
      { name: "data/lands.csv", content: "name,number\nhello ,1\nfrom ,2\nafar,3\n" },
    ],
  },
};

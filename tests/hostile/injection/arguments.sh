# tries: templates, shells and manifests, by its arguments
# outcomes: [succeeded]
# stdout: "<[{][{] 7[*]7 [}][}]>\n<[$][(]id[)]>\n<[$][{]PATH[}]>\n<`id`>\n<\"\nkind: Pod\nspec: [{]hostNetwork: true[}]>\n<; id>\n<--help>\n<>\n<[$][(]HOSTNAME[)]>\n<%s%n%x>\n<'\"\\\\>\n"
# args: ["{{ 7*7 }}", "$(id)", "${PATH}", "`id`", "\"\nkind: Pod\nspec: {hostNetwork: true}", "; id", "--help", "", "$(HOSTNAME)", "%s%n%x", "'\"\\"]
# limits: { wall_ms: 5000 }
printf '<%s>\n' "$@"

# tries: the rights of another user, by a file that has them or gets them
# outcomes: [succeeded]
# stdout: "went on\n"
# limits: { wall_ms: 12000 }
find / -xdev \( -path /proc -o -path /sys \) -prune -o -type f -perm /6000 -print 2>/dev/null | sed 's/^/found /' >/tmp/found
while read -r _ file; do
  uid=$(setsid "$file" -c 'id -u' </dev/null 2>/dev/null)
  [ "$uid" = 0 ] && echo "ESCAPED $file"
done </tmp/found
cp /bin/bash /tmp/shell && chmod 6755 /tmp/shell
[ "$(/tmp/shell -p -c 'id -u')" = "$(id -u)" ] || echo ESCAPED
[ "$(id -u)" = 0 ] && echo ESCAPED
echo "went on"

# Makes stellwerk.toml(5), in mdoc(7), of the documented example: a section a subsection, a key with
# its default an item, the comment before it its text.
function roff(text) {
  gsub(/\\/, "\\e", text)
  gsub(/-/, "\\-", text)
  gsub(/\. /, ".\n", text)
  sub(/^[.']/, "\\\\\\&&", text)
  return text
}
function quoted(text) {
  text = roff(text)
  gsub(/"/, "\\(dq", text)
  return "\"\\&" text "\""
}
function end_list() { if (listing) print ".El"; listing = 0 }
BEGIN {
  print ".Dd November 23, 2026\n.Dt STELLWERK.TOML 5\n.Os\n.Sh NAME\n.Nm stellwerk.toml"
  print ".Nd configuration of stellwerkd\n.Sh DESCRIPTION"
  print ".Xr stellwerkd 8\nreads\n.Pa /etc/stellwerk/stellwerk.toml ,\na file in TOML, once at its start."
  print "A key that is absent has the default shown here; one that the daemon does not know is a mistake."
  print ".Ic stellwerkd check-config\nsays every mistake at once, and changes nothing."
}
/^\[/ {
  end_list(); comment = ""
  print ".Ss " quoted($0)
  next
}
/^# / { comment = comment (comment == "" ? "" : "\n") roff(substr($0, 3)); next }
/^#[a-z]/ {
  if (!listing) { print ".Bl -tag -width 4n"; listing = 1 }
  print ".It " quoted(substr($0, 2))
  if (comment != "") print comment
  comment = ""
  next
}
# The comment at the head of the file is about the file.
/^#?$/ { comment = "" }
END { end_list(); print ".Sh SEE ALSO\n.Xr stellwerk 1 ,\n.Xr stellwerkd 8" }

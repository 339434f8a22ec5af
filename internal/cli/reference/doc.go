// Package reference writes what the commands of rok are as documents: one page in Markdown and manual pages for man. It
// knows nothing of Krake; everything comes from the tree of commands.
package reference

// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Http1;

/// <summary>What is done to a path before anybody matches it; the application then sees that same path.</summary>
[Flags]
public enum PathRules : byte
{
    /// <summary>The path stays as it was sent.</summary>
    None = 0,

    /// <summary>
    /// RFC 3986 6.2.2: unreserved characters are decoded once, a backslash becomes a slash, dot segments are resolved; a percent sign
    /// without two digits, and dot segments with parameters (<c>/..;x/</c>), which servers resolve differently, are refused.
    /// </summary>
    Normalize = 1,

    /// <summary>Neighbouring slashes become one, after everything else.</summary>
    MergeSlashes = 2,

    /// <summary>%2F and %5C become slashes, before everything else.</summary>
    DecodeSlashes = 4,

    /// <summary>A path with %2F or %5C is refused.</summary>
    RefuseEscapedSlashes = 8,
}

// SPDX-License-Identifier: Apache-2.0

namespace Weft.Compiler.Index;

/// <summary>Hosts as intents write them: exact, <c>*.suffix</c>, <c>*suffix</c> or <c>*</c>.</summary>
internal static class HostPattern
{
    public static bool IsWildcard(string pattern) => pattern.StartsWith('*');

    public static bool Matches(string pattern, string host) => IsWildcard(pattern)
        ? host.Length > pattern.Length - 1 && host.EndsWith(pattern[1..], StringComparison.OrdinalIgnoreCase)
        : string.Equals(pattern, host, StringComparison.OrdinalIgnoreCase);

    /// <summary>Larger is more specific: exact before every wildcard, the longer wildcard before the shorter.</summary>
    public static int Specificity(string pattern) => IsWildcard(pattern) ? pattern.Length : int.MaxValue;
}

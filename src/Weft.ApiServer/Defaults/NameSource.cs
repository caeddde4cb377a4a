// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;

namespace Weft.ApiServer.Defaults;

/// <summary>Random names and identifiers.</summary>
public static class NameSource
{
    private const string Alphabet = "bcdfghjklmnpqrstvwxz2456789";
    private const int SuffixLength = 5;
    private const int LongestPrefix = 63 - SuffixLength;

    /// <summary>A prefix and five random letters, as generateName promises.</summary>
    public static string Generate(string prefix) =>
        (prefix.Length > LongestPrefix ? prefix[..LongestPrefix] : prefix)
        + RandomNumberGenerator.GetString(Alphabet, SuffixLength);

    public static string Uid() => Guid.NewGuid().ToString();
}

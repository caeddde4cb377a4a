// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.RegularExpressions;

namespace Weft.Bench.Peers;

/// <summary>How many descriptors a process may have here.</summary>
internal static class DescriptorLimit
{
    // What a proxy has open besides its connections.
    private const int Others = 1000;

    /// <summary>The most connections that a proxy can carry here.</summary>
    public static int Connections { get; } = ConnectionsWithin(Read());

    /// <summary>The most with so many descriptors: one for each side of a connection, as proxies reckon too that make the rest of their clients wait.</summary>
    internal static int ConnectionsWithin(int descriptors) => Math.Max(1, (descriptors - Others) / 2);

    private static int Read()
    {
        var limits = File.ReadAllText("/proc/self/limits");
        var hard = Regex.Match(limits, @"Max open files\s+\S+\s+(\S+)", RegexOptions.None, TimeSpan.FromSeconds(1)).Groups[1].Value;
        return int.TryParse(hard, CultureInfo.InvariantCulture, out var number) ? number : int.MaxValue;
    }
}

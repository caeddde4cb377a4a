// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.RegularExpressions;

namespace Weft.Bench.Peers;

/// <summary>How many descriptors a process may have here.</summary>
internal static class DescriptorLimit
{
    public static int Hard { get; } = Read();

    private static int Read()
    {
        var limits = File.ReadAllText("/proc/self/limits");
        var hard = Regex.Match(limits, @"Max open files\s+\S+\s+(\S+)", RegexOptions.None, TimeSpan.FromSeconds(1)).Groups[1].Value;
        return int.TryParse(hard, CultureInfo.InvariantCulture, out var number) ? number : int.MaxValue;
    }
}

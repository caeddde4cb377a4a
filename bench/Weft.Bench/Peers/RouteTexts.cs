// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace Weft.Bench.Peers;

/// <summary>The route tables that every proxy gets, so that all of them choose among the same.</summary>
internal static class RouteTexts
{
    /// <summary>Nine prefixes that no request has, in front of the one that all have.</summary>
    public static IReadOnlyList<string> Prefixes { get; } = [.. Enumerable.Range(0, 9).Select(PrefixOf)];

    public static string PrefixOf(int number) => string.Create(CultureInfo.InvariantCulture, $"/service-{number:00000}/");

    public static string HostOf(int number) => string.Create(CultureInfo.InvariantCulture, $"service-{number:00000}.bench.svc.cluster.local");
}

// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy;

/// <summary>Which weft-proxy this is: what it tells the control plane, its admin pages and its metrics.</summary>
internal static class ProxyVersion
{
    /// <summary>Major, minor and patch.</summary>
    public static string Text { get; } = typeof(ProxyVersion).Assembly.GetName().Version?.ToString(3) ?? "0";
}

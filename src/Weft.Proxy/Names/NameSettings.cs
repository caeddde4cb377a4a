// SPDX-License-Identifier: Apache-2.0

using System.Net;

namespace Weft.Proxy.Names;

/// <summary>Where names are looked up.</summary>
/// <param name="ResolvConf">The file that names the servers.</param>
/// <param name="Hosts">The file whose names come before theirs.</param>
/// <param name="Port">Of the servers.</param>
/// <param name="Mark">For connections to them; 0 for none.</param>
internal sealed record NameSettings(string ResolvConf, string Hosts, int Port, int Mark)
{
    private const int DnsPort = 53;

    /// <summary>A server that has a port of its own for proxies; null for none.</summary>
    internal IPEndPoint? ForProxies { get; init; }

    internal static NameSettings Default { get; } = new("/etc/resolv.conf", "/etc/hosts", DnsPort, 0);
}

/// <summary>What DNS says of a name.</summary>
/// <param name="Addresses">In text form, sorted; none if there is no such name.</param>
/// <param name="TtlMs">How long that may be believed; 0 if nothing was said about it.</param>
internal sealed record NameAnswer(string[] Addresses, long TtlMs);

// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Plan;

namespace Weft.Compiler.Explain;

/// <summary>A request to ask about: where its connection goes, and what it says.</summary>
/// <param name="Address">The IP address that the client connects to.</param>
/// <param name="Port">The port that it connects to.</param>
/// <param name="Authority">The Host header or <c>:authority</c>.</param>
/// <param name="Path">With its query.</param>
/// <param name="Method">GET by default.</param>
/// <param name="Headers">Further headers, names in lower case.</param>
public sealed record RequestDescription(
    string Address,
    int Port,
    string Authority,
    string Path,
    string Method,
    EquatableArray<HeaderPlan> Headers)
{
    /// <summary>True if the client itself speaks TLS: its request is not seen, only the server name of its hello.</summary>
    public bool Tls { get; init; }

    /// <summary>The authority without its port.</summary>
    public string ServerName => Authority.LastIndexOf(':') is var colon && colon > 0 ? Authority[..colon] : Authority;

    public static RequestDescription Get(string address, int port, string authority, string path) =>
        new(address, port, authority, path, "GET", []);
}

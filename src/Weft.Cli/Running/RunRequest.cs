// SPDX-License-Identifier: Apache-2.0

using Weft.Local.Network;

namespace Weft.Cli.Running;

/// <summary>What <c>weft run</c> was asked to make a workload of.</summary>
/// <param name="Ports">The first is told to the program as <c>PORT</c>; none for a program that only calls others.</param>
/// <param name="Environment">Written by the user, so it may stand in YAML; the caller's own environment is not part of it.</param>
/// <param name="Published">Host ports that lead in.</param>
internal sealed record RunRequest(
    string Name,
    string Namespace,
    IReadOnlyList<string> Command,
    string Folder,
    IReadOnlyList<RunPort> Ports,
    int Replicas,
    IReadOnlyDictionary<string, string> Environment,
    IReadOnlyList<PublishedPort> Published);

/// <summary>A port that the program listens on; a protocol of null is found out from the first bytes of each connection.</summary>
internal sealed record RunPort(int Number, string? Protocol);

// SPDX-License-Identifier: Apache-2.0

namespace Weft.Scenarios;

/// <summary>What a mesh could leave behind on the host.</summary>
internal sealed record Leftovers(string[] Processes, string[] Namespaces, string[] Links, string[] Mounts, string[] Rules)
{
    public static async Task<Leftovers> TakeAsync() => new(
        await LinesAsync("sh", "-c", "ps -eo args | grep -E '(^|/)weft(-proxy|-sample)?( |$)' | grep -v grep || true"),
        await LinesAsync("sh", "-c", "ls /run/netns 2>/dev/null || true"),
        await LinesAsync("ip", "-o", "link", "show"),
        await LinesAsync("cat", "/proc/self/mounts"),
        await LinesAsync("nft", "list", "ruleset"));

    /// <summary>What is here and was not there, one line each; empty when nothing is.</summary>
    public string Except(Leftovers earlier) => string.Join('\n', Processes.Except(earlier.Processes)
        .Concat(Namespaces.Except(earlier.Namespaces))
        .Concat(Links.Except(earlier.Links))
        .Concat(Mounts.Except(earlier.Mounts))
        .Concat(Rules.Except(earlier.Rules)));

    private static async Task<string[]> LinesAsync(string program, params string[] arguments) =>
        (await Command.RunAsync(program, arguments)).Succeeded().Split('\n', StringSplitOptions.RemoveEmptyEntries);
}

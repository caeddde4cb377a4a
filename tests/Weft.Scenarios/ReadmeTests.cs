// SPDX-License-Identifier: Apache-2.0

using System.Text.RegularExpressions;

namespace Weft.Scenarios;

/// <summary>The walk through examples/shop, typed exactly as its README prints it.</summary>
[Collection(RunningMesh.Name)]
public sealed partial class ReadmeTests
{
    [Fact]
    public async Task The_walk_through_the_shop_works_as_printed()
    {
        var mesh = new TestMesh();
        var readme = await File.ReadAllTextAsync(Path.Combine(TestMesh.RepositoryRoot, "examples", "shop", "README.md"));
        var blocks = CommandBlock().Matches(readme).Select(match => match.Groups[1].Value).ToArray();
        Assert.True(blocks.Length >= 5, $"The README has {blocks.Length} command blocks.");
        var script = string.Join("\n", blocks).Replace("./weft up examples/shop", "./weft up examples/shop --detach", StringComparison.Ordinal);
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["WEFT_HOME"] = mesh.Home,
            ["NO_COLOR"] = "1",
            ["PATH"] = $"{Path.GetDirectoryName(TestMesh.KubectlPath)}:{Environment.GetEnvironmentVariable("PATH")}",
        };
        try
        {
            // A command that waits for a condition says so itself in the README, so the script may run without pauses.
            var walked = await Command.RunAsync(
                "bash",
                ["-euxo", "pipefail", "-c", $"cd '{TestMesh.RepositoryRoot}'\n{script}"],
                environment,
                deadline: TimeSpan.FromMinutes(6));
            walked.Succeeded();
        }
        finally
        {
            await mesh.DisposeAsync();
        }
    }

    [GeneratedRegex(@"^```(?:bash|console)\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex CommandBlock();
}

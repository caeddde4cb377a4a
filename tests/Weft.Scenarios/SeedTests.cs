// SPDX-License-Identifier: Apache-2.0

using System.Text.RegularExpressions;

namespace Weft.Scenarios;

/// <summary>
/// The kubectl lines of the documents that Weft was written from, typed as they stand there against our own objects, and against the
/// documents' own where they are at hand. Seeds/lines.txt names every line, and why those that cannot run cannot.
/// </summary>
public sealed partial class SeedTests
{
    private static readonly string _folder = Path.Combine(AppContext.BaseDirectory, "Seeds");

    [Theory]
    [InlineData("v32")]
    [InlineData("v35")]
    public async Task Every_line_that_needs_no_foreign_image_runs(string version)
    {
        var mesh = new TestMesh();
        try
        {
            await mesh.InitializeAsync();
            foreach (var file in new[] { "world.yaml", "linkerd-definitions.yaml" })
            {
                (await mesh.KubectlAsync("apply", "-f", Path.Combine(_folder, "files", file))).Succeeded();
            }

            var problems = new List<string>();
            foreach (var line in Lines().Where(line => line.Exit is not null))
            {
                var result = await RunAsync(mesh, version, line.Text);
                if (result.ExitCode != line.Exit)
                {
                    problems.Add($"{line.Place} should end with {line.Exit}: {result}");
                }
            }

            foreach (var (place, yaml) in Originals())
            {
                var result = await Command.RunAsync(Kubectl(version), ["apply", "-f", "-"], mesh.Environment, yaml);
                if (result.ExitCode != 0)
                {
                    problems.Add($"{place}, the document's own objects: {result}");
                }
            }

            Assert.True(problems.Count == 0, string.Join('\n', problems));
        }
        finally
        {
            await mesh.DisposeAsync();
        }
    }

    [Fact]
    public void Every_line_of_the_documents_is_in_the_table_and_every_one_that_cannot_run_has_a_reason()
    {
        var lines = Lines();
        Assert.All(lines.Where(line => line.Exit is null), line => Assert.True(line.Text.Length > 20, line.Place));
        Assert.True(lines.Count(line => line.Exit is not null) > 60);
        var named = lines.Select(line => line.Place).ToHashSet(StringComparer.Ordinal);
        foreach (var document in Documents())
        {
            var text = File.ReadAllLines(document);
            for (var i = 0; i < text.Length; i++)
            {
                if (Typed().IsMatch(text[i]))
                {
                    Assert.Contains($"{Path.GetFileNameWithoutExtension(document)}:{i + 1}", named);
                }
            }
        }
    }

    /// <summary>Types one line in a shell that finds this kubectl, in the folder of our files; what it starts is waited for.</summary>
    private static async Task<CommandResult> RunAsync(TestMesh mesh, string version, string text)
    {
        var script = $"cd '{Path.Combine(_folder, "files")}'; {text}";
        if (text.Contains("$POD", StringComparison.Ordinal))
        {
            script = $"POD=$(kubectl get pods -n default -l app=test-app --field-selector=status.phase=Running -o jsonpath='{{.items[0].metadata.name}}'); {script}";
        }

        var environment = new Dictionary<string, string>(mesh.Environment, StringComparer.Ordinal)
        {
            ["PATH"] = Path.GetDirectoryName(Kubectl(version)) + ":" + Environment.GetEnvironmentVariable("PATH"),
        };
        var result = await Command.RunAsync("bash", ["-c", script], environment);
        if (text.Contains("rollout restart", StringComparison.Ordinal) || text.Contains("test-deployment", StringComparison.Ordinal))
        {
            foreach (var place in new[] { "production", "default" })
            {
                var names = (await mesh.KubectlAsync("get", "deployments", "-n", place, "-o", "name")).Succeeded();
                foreach (var name in names.Split('\n', StringSplitOptions.RemoveEmptyEntries))
                {
                    (await mesh.KubectlAsync("rollout", "status", name, "-n", place, "--timeout=60s")).Succeeded();
                }
            }
        }

        return result;
    }

    private static string Kubectl(string version) => Path.Combine(TestMesh.RepositoryRoot, "artifacts", "tools", $"kubectl-{version}", "kubectl");

    private static List<(string Place, int? Exit, string Text)> Lines() =>
    [
        .. File.ReadAllLines(Path.Combine(_folder, "lines.txt")).Where(line => line.Length > 0 && line[0] != '#').Select(line => line.Split('\t'))
            .Select(parts => (parts[0], parts[1] is "-" ? (int?)null : int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture), parts[2])),
    ];

    /// <summary>The documents, where they lie beside the checkout; none otherwise.</summary>
    internal static string[] Documents()
    {
        var folder = new[] { "..", "../.." }.Select(up => Path.Combine(TestMesh.RepositoryRoot, up, "shared", "seeds")).FirstOrDefault(Directory.Exists);
        return folder is null ? [] : Directory.GetFiles(folder, "*.md");
    }

    /// <summary>What the documents feed to <c>kubectl apply -f -</c> themselves.</summary>
    private static IEnumerable<(string Place, string Yaml)> Originals()
    {
        foreach (var document in Documents())
        {
            var text = File.ReadAllLines(document);
            for (var i = 0; i < text.Length; i++)
            {
                if (text[i].StartsWith("cat <<EOF | kubectl apply", StringComparison.Ordinal))
                {
                    yield return ($"{Path.GetFileNameWithoutExtension(document)}:{i + 1}", string.Join('\n', text.Skip(i + 1).TakeWhile(line => line is not "EOF")) + "\n");
                }
            }
        }
    }

    [GeneratedRegex("(^|`|\\| |\\$\\()\\s*(kubectl|helm) [a-z]")]
    private static partial Regex Typed();
}

// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;

namespace Weft.Scenarios;

/// <summary>
/// A running mesh as a user has it: started with <c>./weft up --detach</c>, used with kubectl and <c>./weft</c>, stopped with
/// <c>./weft down</c>. One is shared by the scenarios of a collection; each scenario works in a namespace of its own.
/// </summary>
public sealed class TestMesh : IAsyncLifetime
{
    private readonly Dictionary<string, string> _environment;

    public TestMesh()
        : this([])
    {
    }

    internal TestMesh(IEnumerable<KeyValuePair<string, string>> settings)
    {
        Home = Directory.CreateTempSubdirectory("weft-scenario-").FullName;
        _environment = new(StringComparer.Ordinal)
        {
            ["WEFT_HOME"] = Home,
            ["KUBECONFIG"] = Path.Combine(Home, "kubeconfig"),
            ["NO_COLOR"] = "1",
        };
        foreach (var (name, value) in settings)
        {
            _environment[name] = value;
        }
    }

    /// <summary>What a user's shell would have set.</summary>
    internal IReadOnlyDictionary<string, string> Environment => _environment;

    /// <summary>The network namespace that plays the machine; null for this machine itself.</summary>
    internal string? Namespace { get; init; }

    /// <summary>The mesh's home folder (WEFT_HOME).</summary>
    public string Home { get; }

    public static string RepositoryRoot { get; } = FindRoot();

    public static string KubectlPath { get; } = System.Environment.GetEnvironmentVariable("WEFT_KUBECTL")
        ?? Path.Combine(RepositoryRoot, "artifacts", "tools", "kubectl-v35", "kubectl");

    /// <summary>Where kubectl finds the API server.</summary>
    internal string ServerUrl => File.ReadLines(Path.Combine(Home, "kubeconfig")).First(line => line.Contains("server:", StringComparison.Ordinal)).Split(' ')[^1];

    public async Task InitializeAsync()
    {
        var up = await WeftAsync(["up", "--detach"], TimeSpan.FromMinutes(8));
        up.Succeeded();
    }

    public async Task DisposeAsync()
    {
        await WeftAsync(["down"]);
        Directory.Delete(Home, recursive: true);
    }

    internal Task<CommandResult> WeftAsync(IEnumerable<string> arguments, TimeSpan? deadline = null) =>
        RunAsync([Path.Combine(RepositoryRoot, "weft"), .. arguments], deadline: deadline);

    internal Task<CommandResult> KubectlAsync(params string[] arguments) => RunAsync([KubectlPath, .. arguments]);

    internal Task<CommandResult> ApplyAsync(string yaml) => RunAsync([KubectlPath, "apply", "-f", "-"], yaml);

    private Task<CommandResult> RunAsync(string[] command, string? input = null, TimeSpan? deadline = null)
    {
        var all = Namespace is { } name ? ["nsenter", $"--net=/run/netns/{name}", .. command] : command;
        return Command.RunAsync(all[0], all[1..], _environment, input, deadline);
    }

    /// <summary>Runs a command in a pod's container.</summary>
    internal Task<CommandResult> ExecAsync(string ns, string pod, params string[] command) =>
        WeftAsync(["exec", pod, "-n", ns, "--", .. command]);

    /// <summary>Starts a command in a pod and leaves it running; the caller ends it.</summary>
    internal System.Diagnostics.Process OpenExec(string ns, string pod, params string[] command) =>
        Command.Open(Path.Combine(RepositoryRoot, "weft"), ["exec", pod, "-n", ns, "--", .. command], _environment);

    internal async Task WaitForDeploymentsAsync(string ns)
    {
        var result = await KubectlAsync("wait", "--for=condition=Available", "deployment", "--all", "-n", ns, "--timeout=90s");
        if (result.ExitCode != 0)
        {
            var pods = await KubectlAsync("get", "pods", "-n", ns, "-o", "wide");
            var description = await KubectlAsync("describe", "pods", "-n", ns);
            Assert.Fail($"{result}\n{pods}\n{description}");
        }
    }

    internal async Task<string> PodAsync(string ns, string selector)
    {
        var list = JsonNode.Parse((await KubectlAsync("get", "pods", "-n", ns, "-l", selector, "-o", "json")).Succeeded())!;
        var ready = list["items"]!.AsArray().First(pod => pod!["metadata"]!["deletionTimestamp"] is null);
        return ready!["metadata"]!["name"]!.GetValue<string>();
    }

    /// <summary>What <c>weft status -o json</c> says: node process, pods with their container processes, forwarded ports.</summary>
    internal async Task<JsonNode> StatusAsync() =>
        JsonNode.Parse((await WeftAsync(["status", "-o", "json"])).Succeeded())!;

    private static string FindRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Weft.slnx")))
        {
            folder = Path.GetDirectoryName(folder)
                ?? throw new InvalidOperationException("The scenarios do not run inside a checkout: no Weft.slnx above them.");
        }

        return folder;
    }
}

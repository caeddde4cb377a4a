// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Weft.Cli.Meshes;
using Weft.Cli.Output;

namespace Weft.Cli.Verbs;

/// <summary><c>weft kubectl …</c>: kubectl, pointed at this mesh.</summary>
internal static class KubectlVerb
{
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, CancellationToken ct)
    {
        var (home, _) = MeshPlace.Running();
        var start = new ProcessStartInfo(Find(), arguments) { UseShellExecute = false };
        start.Environment["KUBECONFIG"] = home.Kubeconfig;
        using var process = Process.Start(start)!;
        // Ctrl-C reaches kubectl too, which ends then; this process only passes its exit code on.
        await process.WaitForExitAsync(ct);
        return process.ExitCode;
    }

    private static string Find()
    {
        var artifacts = Path.GetDirectoryName(ProgramPath.Bin().TrimEnd('/'))!;
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Append(Path.Combine(artifacts, "tools", "kubectl-v35"))
            .Append(Path.Combine(artifacts, "tools", "kubectl-v32"));
        return folders.Select(folder => Path.Combine(folder, "kubectl")).FirstOrDefault(File.Exists)
            ?? throw new CommandException(
                ExitCode.Failed, "kubectl is not on the PATH.", "Install it (https://kubernetes.io/docs/tasks/tools), or run ./test once, which fetches one.");
    }
}

// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace Weft.Scenarios;

/// <summary>Meshes of their own: started, used, stopped; as root and as an ordinary user.</summary>
[Collection(RunningMesh.Name)]
public sealed class LifetimeTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Down_leaves_no_process_namespace_rule_mount_or_link(bool killed)
    {
        var before = await Leftovers.TakeAsync();
        var mesh = new TestMesh();
        await mesh.InitializeAsync();
        (await mesh.ApplyAsync(Manifests.Namespace("short") + Manifests.App("short", "one", "v1"))).Succeeded();
        await mesh.WaitForDeploymentsAsync("short");
        if (killed)
        {
            var pid = (await mesh.StatusAsync())["up"]!["pid"]!.GetValue<int>();
            (await Command.RunAsync("kill", ["-9", pid.ToString(CultureInfo.InvariantCulture)])).Succeeded();
        }

        await mesh.DisposeAsync();
        await Wait.UntilAsync("nothing is left", async () =>
        {
            var after = await Leftovers.TakeAsync();
            var more = after.Except(before);
            return (more.Length == 0, more);
        });
    }

    [Fact]
    public async Task An_ordinary_user_gets_the_same_mesh()
    {
        Assert.True(Environment.IsPrivilegedProcess, "This scenario becomes an ordinary user, which only root can do.");
        var home = Directory.CreateTempSubdirectory("weft-rootless-").FullName;
        (await Command.RunAsync("chown", ["65534:65534", home])).Succeeded();
        async Task<CommandResult> AsNobodyAsync(params string[] command) => await Command.RunAsync(
            "setpriv",
            ["--reuid=65534", "--regid=65534", "--clear-groups", "env", $"HOME={home}", $"WEFT_HOME={home}/weft", $"KUBECONFIG={home}/weft/kubeconfig", "NO_COLOR=1", .. command],
            deadline: TimeSpan.FromMinutes(4));
        var weft = Path.Combine(TestMesh.RepositoryRoot, "weft");
        try
        {
            // A lock that the calling script holds is free again when the script is done, though the mesh goes on.
            var held = Path.Combine(home, "lock");
            (await AsNobodyAsync("flock", held, weft, "up", "--detach")).Succeeded();
            (await AsNobodyAsync("flock", "--nonblock", held, "true")).Succeeded();
            var manifest = Path.Combine(home, "app.yaml");
            await File.WriteAllTextAsync(
                manifest,
                Manifests.Namespace("plain") + Manifests.App("plain", "server", "v1") + Manifests.Service("plain", "server")
                + Manifests.Client("plain", "client") + Manifests.Client("plain", "outsider", injected: false) + Manifests.PeerMode("plain", "STRICT"));
            (await AsNobodyAsync(TestMesh.KubectlPath, "apply", "-f", manifest)).Succeeded();
            (await AsNobodyAsync(TestMesh.KubectlPath, "wait", "--for=condition=Available", "deployment", "--all", "-n", "plain", "--timeout=90s")).Succeeded();
            await UntilAsync("deploy/client", "200");
            await UntilAsync("deploy/outsider", "000");

            async Task UntilAsync(string pod, string wanted) => await Wait.UntilAsync($"{pod} gets {wanted}", async () =>
            {
                var got = await AsNobodyAsync(weft, "exec", pod, "-n", "plain", "--", "curl", "-s", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}", "http://server/");
                return (got.Output.Trim() == wanted, got.ToString());
            });
        }
        finally
        {
            (await AsNobodyAsync(weft, "down")).Succeeded();
            Directory.Delete(home, recursive: true);
        }
    }
}

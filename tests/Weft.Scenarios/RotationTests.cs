// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;

namespace Weft.Scenarios;

/// <summary>Certificates that live for half a minute, under load and STRICT.</summary>
[Collection(RunningMesh.Name)]
public sealed class RotationTests
{
    [Fact]
    public async Task Certificates_rotate_under_load_without_a_failed_request_or_a_dropped_connection()
    {
        var ns = "rotation";
        var mesh = new TestMesh([new("WEFT_CERTIFICATE_SECONDS", "30")]);
        try
        {
            await mesh.InitializeAsync();
            (await mesh.ApplyAsync(
                Manifests.Namespace(ns) + Manifests.App(ns, "server", "v1") + Manifests.Service(ns, "server")
                + Manifests.Client(ns, "client") + Manifests.PeerMode(ns, "STRICT"))).Succeeded();
            await mesh.WaitForDeploymentsAsync(ns);
            var client = await mesh.PodAsync(ns, "app=client");
            var server = await mesh.PodAsync(ns, "app=server");
            await Wait.UntilAsync("the service answers", async () =>
            {
                var answer = await mesh.ExecAsync(ns, client, "weft-sample", "get", "--fail", "http://server/");
                return (answer.ExitCode == 0, answer.ToString());
            });

            var load = mesh.ExecAsync(
                ns, client, "weft-sample", "load", "--target", "http://server/", "--rate", "100", "--concurrency", "8", "--duration", "50s");

            // One request that is under way for longer than any certificate lives.
            var slow = mesh.ExecAsync(ns, client, "weft-sample", "get", "--fail", "--timeout", "60s", "http://server/delay/40s");
            var seen = new HashSet<string>(StringComparer.Ordinal);
            var seenByServer = new HashSet<string>(StringComparer.Ordinal);
            await Wait.UntilAsync("both sides have had three certificates", async () =>
            {
                seen.Add(await SerialAsync(mesh, ns, client));
                seenByServer.Add(await SerialAsync(mesh, ns, server));
                return (seen.Count >= 3 && seenByServer.Count >= 3, $"{seen.Count} and {seenByServer.Count}");
            });

            (await slow).Succeeded();
            (await load).Succeeded();
        }
        finally
        {
            await mesh.DisposeAsync();
        }
    }

    private static async Task<string> SerialAsync(TestMesh mesh, string ns, string pod)
    {
        var page = (await mesh.ExecAsync(ns, pod, "curl", "-s", "-m", "5", "http://127.0.0.1:15000/certs")).Succeeded();
        return JsonNode.Parse(page)!["certificates"]![0]!["cert_chain"]![0]!["serial_number"]!.GetValue<string>();
    }
}

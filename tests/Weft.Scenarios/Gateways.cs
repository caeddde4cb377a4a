// SPDX-License-Identifier: Apache-2.0

using System.Text.RegularExpressions;

namespace Weft.Scenarios;

/// <summary>How scenarios reach a gateway from outside of the mesh, and what answers.</summary>
internal static partial class Gateways
{
    public const string Ingress = "istio-system/istio-ingressgateway";

    /// <summary>Objects of the folder Edge.</summary>
    public static string Objects(string name) => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Edge", name));

    /// <summary>The port of this machine that leads to a port of a LoadBalancer; waits until it is open.</summary>
    public static async Task<int> PortAsync(TestMesh mesh, string service, int port)
    {
        var found = 0;
        await Wait.UntilAsync($"{service}:{port} is reachable from the host", async () =>
        {
            var open = (await mesh.StatusAsync())["ports"]!.AsArray();
            found = open.FirstOrDefault(entry => entry!["name"]!.GetValue<string>() == $"{service}:{port}")?["port"]!.GetValue<int>() ?? 0;
            return (found > 0, open.ToJsonString());
        });
        return found;
    }

    /// <summary>The status and the version of HTTP; 000 where there was no connection.</summary>
    public static async Task<string> AskAsync(string host, int port, params string[] arguments) => (await Command.RunAsync("curl", [
        "-s", "-m", "10", "-o", "/dev/null", "-w", "%{http_code} %{http_version}", "--resolve", $"{host}:{port}:127.0.0.1", .. arguments, $"https://{host}:{port}/"])).Output.Trim();

    /// <summary>What openssl says of a handshake: the protocol and the cipher, or the alert.</summary>
    public static async Task<string> ShakeHandsAsync(string host, int port, params string[] arguments)
    {
        var shown = await Command.RunAsync("openssl", ["s_client", "-connect", $"127.0.0.1:{port}", "-servername", host, .. arguments]);
        var text = shown.Output + shown.Error;
        var alert = Alert().Match(text);
        var agreed = Agreed().Match(text);
        return alert.Success ? alert.Groups[1].Value : agreed.Success ? $"{agreed.Groups[1].Value} {agreed.Groups[2].Value}" : "nothing";
    }

    public static async Task UntilAsync(string expected, Func<Task<string>> ask) => await Wait.UntilAsync($"the answer is '{expected}'", async () =>
    {
        var answer = await ask();
        return (answer == expected, answer);
    });

    [GeneratedRegex("alert ([a-z ]+):")]
    private static partial Regex Alert();

    [GeneratedRegex("New, (TLSv[0-9.]+), Cipher is ([A-Z0-9_-]+)")]
    private static partial Regex Agreed();
}

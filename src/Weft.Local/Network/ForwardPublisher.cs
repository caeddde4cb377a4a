// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Weft.Kubernetes;
using Weft.Local.Outside;
using Weft.Local.Processes;

namespace Weft.Local.Network;

/// <summary>Asks the outer side for a host port for every NodePort and LoadBalancer service and every published port, and says in the API where the latter is.</summary>
internal sealed partial class ForwardPublisher(Informer services, KubernetesClient client, MeshHome home, TimeProvider time, ILogger log)
{
    private const int HttpPort = 80;
    private const int HttpsPort = 443;

    private static readonly TimeSpan _look = TimeSpan.FromSeconds(1);

    private string _written = "";

    public async Task RunAsync(Signal changes, CancellationToken ct)
    {
        await services.WhenSyncedAsync(ct);
        while (true)
        {
            var forwards = Compile(services.Items);
            var text = string.Join('\n', forwards.Select(f => $"{f.Name} {f.Target} {string.Join(',', f.PreferredPorts)} {f.Scheme} {f.Owner} {f.OwnPort}"));
            if (text != _written)
            {
                Forward.Write(home.Forwards, forwards);
                _written = text;
            }

            await PublishAddressesAsync(ct);
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
            patience.CancelAfter(_look);
            try
            {
                await changes.WaitAsync(patience.Token);
            }
            catch (OperationCanceledException) when (!ct.IsCancellationRequested)
            {
                // Ports are opened a moment after they were asked for: look again.
            }

            ct.ThrowIfCancellationRequested();
        }
    }

    /// <summary>What the services ask for; pure.</summary>
    internal static IReadOnlyList<Forward> Compile(IEnumerable<JsonObject> services)
    {
        var forwards = new List<Forward>();
        foreach (var service in services.OrderBy(s => s.Namespace(), StringComparer.Ordinal).ThenBy(s => s.Name(), StringComparer.Ordinal))
        {
            if (!IPAddress.TryParse(service.Text("spec", "clusterIP"), out var address))
            {
                continue;
            }

            var ports = service.Objects("spec", "ports").Where(p => (p.Text("protocol") ?? "TCP") == "TCP").ToList();
            var names = new HashSet<string>(StringComparer.Ordinal);
            var balanced = service.Text("spec", "type") == "LoadBalancer";
            foreach (var published in PublishedPort.Of(service))
            {
                if (ports.FirstOrDefault(p => p.Number("port") == published.Port) is { } port)
                {
                    var name = $"{service.Namespace()}/{service.Name()}:{published.Port}";
                    forwards.Add(Open(names.Add(name) ? name : $"{name}@{published.Host}", [published.Host], port));
                }
            }

            if (service.Text("spec", "type") is not ("NodePort" or "LoadBalancer"))
            {
                continue;
            }

            foreach (var port in ports)
            {
                var number = (int)(port.Number("port") ?? 0);
                var name = $"{service.Namespace()}/{service.Name()}:{number}";
                if (names.Add(name))
                {
                    int[] preferred = [.. balanced ? HostPorts(number) : [], .. port.Number("nodePort") is { } nodePort ? [(int)nodePort] : (int[])[]];
                    forwards.Add(Open(name, preferred, port));
                }
            }

            Forward Open(string name, int[] preferred, JsonObject port)
            {
                var number = (int)(port.Number("port") ?? 0);
                var owner = balanced && !name.Contains('@', StringComparison.Ordinal) ? $"{service.Namespace()}/{service.Name()}" : "";
                return new Forward(name, preferred, new IPEndPoint(address, number).ToString(), Scheme(port, number)) { Owner = owner, OwnPort = owner.Length > 0 ? number : 0 };
            }
        }

        return forwards;
    }

    /// <summary>Host ports that remind of the service's: an ordinary user may not open 80, and it is often taken.</summary>
    private static IEnumerable<int> HostPorts(int port) => port switch
    {
        HttpPort => [8080, 8081, 8082, 8083],
        HttpsPort => [8443, 8444, 8445],
        < 1024 => [port + 8000],
        _ => [port],
    };

    private static string Scheme(JsonObject port, int number)
    {
        var hint = port.Text("appProtocol") ?? port.Text("name") ?? "";
        return hint.StartsWith("https", StringComparison.Ordinal) || number == HttpsPort ? "https"
            : hint.StartsWith("http", StringComparison.Ordinal) || number is HttpPort or 8080 ? "http"
            : "tcp";
    }

    private async Task PublishAddressesAsync(CancellationToken ct)
    {
        var open = OpenPort.Read(home.OpenPorts).ToDictionary(p => p.Name, StringComparer.Ordinal);
        foreach (var service in services.Items.Where(s => s.Text("spec", "type") == "LoadBalancer"))
        {
            var ports = service.Objects("spec", "ports").Where(p => (p.Text("protocol") ?? "TCP") == "TCP")
                .Select(p => (Own: p.Number("port"), Open: open.GetValueOrDefault($"{service.Namespace()}/{service.Name()}:{p.Number("port")}")))
                .Where(p => p.Open is not null)
                .ToArray();
            var own = ports.Select(p => p.Open!.OwnAddress).Distinct(StringComparer.Ordinal).ToArray() is [{ Length: > 0 } address] ? address : null;
            var wanted = new JsonArray(new JsonObject
            {
                ["ip"] = own ?? IPAddress.Loopback.ToString(),
                ["ports"] = new JsonArray([.. ports.Select(p => new JsonObject { ["port"] = own is null ? p.Open!.Port : p.Own, ["protocol"] = "TCP" })]),
            });
            if (ports.Length > 0 && !JsonNode.DeepEquals(wanted, service.Find("status", "loadBalancer", "ingress")))
            {
                await PatchAsync(service, wanted, ct);
            }
        }
    }

    private async Task PatchAsync(JsonObject service, JsonArray ingress, CancellationToken ct)
    {
        try
        {
            var patch = new JsonObject { ["status"] = new JsonObject { ["loadBalancer"] = new JsonObject { ["ingress"] = ingress } } };
            await client.PatchStatusAsync(Kinds.Service, service.Namespace(), service.Name(), patch, ct);
        }
        catch (Exception e) when (e is KubernetesException or HttpRequestException or TimeoutException or IOException)
        {
            LogPatch(log, service.Namespace(), service.Name(), e.Message);
            await Task.Delay(_look, time, ct);
        }
    }

    [LoggerMessage(5210, LogLevel.Warning, "The address of service {Namespace}/{Name} could not be published: {Reason}")]
    private static partial void LogPatch(ILogger log, string @namespace, string name, string reason);
}

// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Weft.Kubernetes;
using Weft.Local.Network;
using Weft.Local.Outside;
using Weft.Local.Processes;
using Weft.Local.Serving;
using Xunit;

namespace Weft.Local.Tests.Nodes;

/// <summary>What a node does, tried once as root and once as an ordinary user.</summary>
public abstract class NodeTests(NodeFixture fixture)
{
    private const string WebProbe = ""","ports":[{"name":"web","containerPort":8080}],"readinessProbe":{"httpGet":{"path":"/","port":"web"},"periodSeconds":1}""";

    private TestNode Node => fixture.Node;

    [Fact]
    public async Task Pods_reach_each_other_by_address()
    {
        var server = await ServerAsync("plain-server", "hello");
        await Node.CreatePodAsync("plain-client", TestNode.Container("app", ["sleep", "infinity"]));
        var client = await Node.ReadyAsync("plain-client");
        Assert.NotEqual(Address(server), Address(client));
        Assert.EndsWith("hello", await Node.ConnectAsync("plain-client", Address(server), 8080), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pods_begin_still_after_many_have_come_and_gone_at_once()
    {
        var names = Enumerable.Range(0, 12).Select(i => $"churn-{i}").ToArray();
        foreach (var name in names)
        {
            await Node.CreatePodAsync(name, TestNode.Container("app", ["sleep", "infinity"]));
        }

        await Task.WhenAll(names.Select(name => Node.Client.DeleteAsync(Kinds.Pod, TestNode.Namespace, name, CancellationToken.None)));
        await Node.CreatePodAsync("after-churn", TestNode.Container("app", ["sleep", "infinity"]));
        await Node.ReadyAsync("after-churn");

        var log = await Node.LogAsync();
        var at = log.IndexOf("'node agent' failed", StringComparison.Ordinal);
        Assert.True(at < 0, at < 0 ? "" : log[at..Math.Min(log.Length, at + 1500)]);
    }

    [Fact]
    public async Task The_gateway_keeps_its_link_address_while_pods_come()
    {
        await Node.CreatePodAsync("first", TestNode.Container("app", ["sleep", "infinity"]));
        await Node.ReadyAsync("first");
        foreach (var name in (string[])["second", "third"])
        {
            var address = Address(await ServerAsync(name, "hello"));
            Assert.EndsWith("hello", await Node.ConnectAsync("first", address, 8080), StringComparison.Ordinal);
        }

        var neighbours = (await Node.ExecAsync("first", ["cat", "/proc/net/arp"])).Output;
        Assert.Contains(new NodePlace("weft", 0).LinkAddress, neighbours, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_meshed_pod_s_traffic_passes_its_sidecar_and_nothing_else_does()
    {
        var other = await ServerAsync("capture-other", "direct");
        await Node.CreatePodAsync(
            "captured", $"{TestNode.Proxy},{TestNode.Container("app", TestNode.Self("http", "8080", "app"), WebProbe)},{TestNode.Container("udp", TestNode.Self("udp", "5000"))}");
        var captured = await Node.ReadyAsync("captured");
        var (mine, theirs) = (Address(captured), Address(other));

        // Out: to the sidecar, which sees where it was to go; with the sidecar's mark, past it.
        Assert.Equal($"outbound to {theirs}:8080 from {mine}", await Node.ConnectAsync("captured", theirs, 8080));
        Assert.Equal("OperationNotPermitted", Marked(await Node.ConnectAsync("captured", theirs, 8080, "--mark")));

        // In: to the sidecar, except its own ports.
        Assert.Equal($"inbound to {mine}:8080 from {theirs}", await Node.ConnectAsync("capture-other", mine, 8080));
        Assert.Equal($"inbound to {mine}:9999 from {theirs}", await Node.ConnectAsync("capture-other", mine, 9999));
        Assert.EndsWith("ready", await Node.ConnectAsync("capture-other", mine, 15021), StringComparison.Ordinal);

        // The application to itself, and the sidecar to the application: not captured. UDP: never.
        Assert.EndsWith("app", await Node.ConnectAsync("captured", mine, 8080), StringComparison.Ordinal);
        Assert.EndsWith("app", await Node.ConnectAsync("captured", "127.0.0.1", 8080), StringComparison.Ordinal);
        Assert.EndsWith("app", await Node.ConnectAsync("captured", mine, 8080, "--bind=127.0.0.6"), StringComparison.Ordinal);
        Assert.Equal($"udp from {theirs}", (await Node.ExecAsync("capture-other", TestNode.Self("ask", mine, "5000"))).Output.Split(':')[0]);
    }

    [Fact]
    public async Task The_sidecar_s_mark_passes_capture_and_a_call_to_itself_comes_in()
    {
        var other = await ServerAsync("mark-other", "direct");
        await Node.CreatePodAsync("marked", $"{TestNode.Proxy},{TestNode.Container("app", TestNode.Self("http", "8080", "app"), WebProbe
            + ""","securityContext":{"capabilities":{"add":["NET_ADMIN"]}}""")}");
        var marked = Address(await Node.ReadyAsync("marked"));
        Assert.EndsWith("direct", await Node.ConnectAsync("marked", Address(other), 8080, "--mark"), StringComparison.Ordinal);
        Assert.StartsWith($"inbound to {marked}:8080", await Node.ConnectAsync("marked", marked, 8080, "--mark"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_killed_sidecar_is_restarted_at_once_and_nothing_leaks_while_it_is_down()
    {
        await ServerAsync("leak-other", "other");
        await Node.CreatePodAsync("leak", $"{TestNode.Proxy},{TestNode.Container("app", TestNode.Self("http", "8080", "app"), WebProbe)}");
        var address = Address(await Node.ReadyAsync("leak"));
        for (var i = 0; i < 3; i++)
        {
            var before = await SidecarAsync("leak");
            _ = Signals.Send(before, Signals.Kill);
            var answer = await Node.ConnectAsync("leak-other", address, 8080);
            Assert.True(answer == "ConnectionRefused" || answer.StartsWith("inbound", StringComparison.Ordinal), answer);
            await Node.HoldsAsync("the sidecar is another process", async () => await SidecarAsync("leak") is var now && now != 0 && now != before);
        }

        await Node.ReadyAsync("leak");
        await Node.HoldsAsync("the sidecar serves again", async () =>
            (await Node.ConnectAsync("leak-other", address, 8080)).StartsWith("inbound", StringComparison.Ordinal));
        var pod = await Node.GetPodAsync("leak");
        Assert.Equal(3, pod.Objects("status", "containerStatuses").First().Number("restartCount"));
        Assert.Equal(137, pod.Objects("status", "containerStatuses").First().Number("lastState", "terminated", "exitCode"));
    }

    [Fact]
    public async Task A_service_is_reached_by_address_and_by_name_and_refuses_without_endpoints()
    {
        var one = await ServerAsync("vip-one", "one");
        var two = await ServerAsync("vip-two", "two");
        await ServiceAsync("vip", "10.96.40.1", 80, (Address(one), 8080), (Address(two), 8080));
        await ServiceAsync("empty", "10.96.40.2", 80);
        var seen = "";
        await Node.HoldsAsync("both endpoints are reached", async () =>
        {
            var said = new HashSet<string>(StringComparer.Ordinal);
            foreach (var answer in (await Node.ConnectAsync("vip-one", "10.96.40.1", 80, "--times=30")).Split("HTTP/1.1 200 OK", StringSplitOptions.RemoveEmptyEntries))
            {
                said.Add(answer.Split('\n')[^1]);
            }

            seen = string.Join(", ", said);
            return said.SetEquals(["one", "two"]);
        }, () => Task.FromResult(seen));
        foreach (var name in new[] { "vip", "vip.shop", "vip.shop.svc", "vip.shop.svc.cluster.local" })
        {
            Assert.Contains(
                (await Node.ConnectAsync("vip-two", name, 80)).Split('\n')[^1], (string[])["one", "two"]);
        }

        Assert.Equal("ConnectionRefused", await Node.ConnectAsync("vip-one", "10.96.40.2", 80));
        Assert.Equal("ConnectionRefused", await Node.ConnectAsync("vip-one", "10.96.40.1", 81));

        // Only the caller itself is left behind the service: its own packets must find back.
        await EndpointsAsync("vip", true, (Address(one), 8080));
        await Node.HoldsAsync("the endpoints have changed", async () =>
            (await Node.ConnectAsync("vip-two", "10.96.40.1", 80)).EndsWith("one", StringComparison.Ordinal));
        Assert.EndsWith("one", await Node.ConnectAsync("vip-one", "10.96.40.1", 80), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_stays_with_its_endpoint_for_as_long_as_the_affinity_lasts()
    {
        var one = await ServerAsync("sticky-one", "one");
        var two = await ServerAsync("sticky-two", "two");
        await Node.Client.CreateAsync(Kinds.Service, TestNode.Namespace, Parse("""
            {"metadata":{"name":"sticky"},"spec":{"clusterIP":"10.96.42.1","externalIPs":["192.0.2.10"],"sessionAffinity":"ClientIP",
             "sessionAffinityConfig":{"clientIP":{"timeoutSeconds":60}},"ports":[{"name":"http","port":80,"protocol":"TCP"}]}}
            """), default);
        await EndpointsAsync("sticky", false, (Address(one), 8080), (Address(two), 8080));
        await Node.HoldsAsync("it answers", async () => (await Node.ConnectAsync("sticky-one", "10.96.42.1", 80)).StartsWith("HTTP", StringComparison.Ordinal));
        var first = Assert.Single((await AnswersAsync()).Distinct(StringComparer.Ordinal));

        // Another endpoint comes: the memory outlives the change. The remembered one goes: the other takes over.
        var (kept, left) = first == "one" ? (one, two) : (two, one);
        await EndpointsAsync("sticky", true, (Address(one), 8080), (Address(two), 8080), ("10.244.15.250", 8080));
        Assert.Equal(first, Assert.Single((await AnswersAsync()).Distinct(StringComparer.Ordinal)));
        await EndpointsAsync("sticky", true, (Address(left), 8080));
        await Node.HoldsAsync("the other takes over", async () => Assert.Single((await AnswersAsync()).Distinct(StringComparer.Ordinal)) != first);
        Assert.NotEqual(Address(kept), Address(left));
        Assert.Contains((await Node.ConnectAsync("sticky-two", "192.0.2.10", 80)).Split('\n')[^1], (string[])["one", "two"]);

        async Task<IEnumerable<string>> AnswersAsync() =>
            (await Node.ConnectAsync("sticky-two", "10.96.42.1", 80, "--times=20")).Split("HTTP/1.1 200 OK", StringSplitOptions.RemoveEmptyEntries).Select(answer => answer.Split('\n')[^1]);
    }

    [Fact]
    public async Task A_load_balancer_gets_a_host_port_that_leads_into_the_mesh()
    {
        var server = await ServerAsync("front", "front page");
        await ServiceAsync("front", "10.96.41.1", 80, (Address(server), 8080), type: "LoadBalancer");
        OpenPort? port = null;
        await Node.HoldsAsync("the host port is open", () =>
        {
            port = OpenPort.Read(Node.Home.OpenPorts).FirstOrDefault(p => p.Name == "shop/front:80");
            return Task.FromResult(port is not null);
        });
        using var http = new HttpClient();
        await Node.HoldsAsync("the page comes", async () =>
        {
            try
            {
                return await http.GetStringAsync(new Uri(port!.Url)) == "front page";
            }
            catch (Exception e) when (e is HttpRequestException or SocketException)
            {
                return false;
            }
        });
        JsonObject? ingress = null;
        await Node.HoldsAsync("the API shows where", async () =>
            (ingress = (await Node.Client.GetAsync(Kinds.Service, TestNode.Namespace, "front", CancellationToken.None)).Objects("status", "loadBalancer", "ingress").FirstOrDefault()) is not null);

        // What the API shows works on this machine: an address of the service's own with its own port, where this user may open that.
        var shown = $"{ingress!.Text("ip")}:{ingress!.Objects("ports").Single().Number("port")}";
        var mayOpen = !fixture.IsRootless || await File.ReadAllTextAsync("/proc/sys/net/ipv4/ip_unprivileged_port_start") is var least && int.Parse(least, CultureInfo.InvariantCulture) <= 80;
        Assert.Matches(mayOpen ? @"^127\.77\.\d+\.\d+:80$" : $"^127\\.0\\.0\\.1:{port!.Port}$", shown);
        Assert.Equal("front page", await http.GetStringAsync(new Uri($"http://{shown}/")));
    }

    [Fact]
    public async Task A_container_sees_its_own_name_resolver_variables_volumes_and_folder()
    {
        await Node.Client.CreateAsync(Kinds.ConfigMap, TestNode.Namespace, Parse("""{"metadata":{"name":"settings"},"data":{"color":"blue"}}"""), default);
        await Node.Client.CreateAsync(Kinds.Secret, TestNode.Namespace, Parse("""{"metadata":{"name":"password"},"data":{"word":"b3Blbg=="}}"""), default);
        await Node.CreatePodAsync("view", TestNode.Container("app", ["sleep", "infinity"], """
            ,"workingDir":"/tmp","env":[{"name":"PLAIN","value":"a"},{"name":"SUM","value":"$(PLAIN)+$$(PLAIN)"},
            {"name":"IP","valueFrom":{"fieldRef":{"fieldPath":"status.podIP"}}},{"name":"APP","valueFrom":{"fieldRef":{"fieldPath":"metadata.labels['app']"}}},
            {"name":"COLOR","valueFrom":{"configMapKeyRef":{"name":"settings","key":"color"}}},{"name":"WORD","valueFrom":{"secretKeyRef":{"name":"password","key":"word"}}}],
            "volumeMounts":[{"name":"conf","mountPath":"/mnt/weft-test/conf"},{"name":"scratch","mountPath":"/srv"},{"name":"conf","mountPath":"/weft-test-top/color","subPath":"color","readOnly":true}]
            """), """,  "volumes":[{"name":"conf","configMap":{"name":"settings"}},{"name":"scratch","emptyDir":{}}]""");
        var pod = await Node.ReadyAsync("view");
        var seen = await Node.ExecAsync("view", "sh", "-c",
            "hostname; pwd; echo $SUM; echo $IP; echo $APP $COLOR $WORD; cat /mnt/weft-test/conf/color /weft-test-top/color; echo; echo kept > /srv/file; cat /srv/file; cat /etc/resolv.conf; cat /proc/1/comm; cat /etc/hosts");
        Assert.Equal(
            $"""
            view
            /tmp
            a+$(PLAIN)
            {Address(pod)}
            view blue open
            blueblue
            kept
            nameserver 10.96.0.10
            search shop.svc.cluster.local svc.cluster.local cluster.local
            options ndots:5
            sleep
            127.0.0.1 localhost
            {Address(pod)} view

            """,
            seen.Output);
        Assert.False(Directory.Exists("/mnt/weft-test"), "A volume left a folder on the host.");
        Assert.False(Directory.Exists("/weft-test-top"), "A volume left a folder on the host.");
        Assert.False(File.Exists("/srv/file"), "A volume wrote to the host.");
    }

    [Fact]
    public async Task An_image_without_a_known_command_waits_and_names_the_file_to_edit()
    {
        await Node.CreatePodAsync("unknown", """{"name":"app","image":"registry.example/what:1"}""");
        JsonObject? waiting = null;
        await Node.HoldsAsync("it waits", async () =>
        {
            waiting = (await Node.GetPodAsync("unknown")).Objects("status", "containerStatuses").FirstOrDefault()?.Find("state", "waiting") as JsonObject;
            return waiting?.Text("reason") == "ImagePullBackOff";
        });
        Assert.Contains($"add a line 'registry.example/what:1: COMMAND' to {Node.Home.Images}", waiting!.Text("message"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_crashing_container_is_restarted_with_a_pause_and_shows_how_it_ended()
    {
        await Node.CreatePodAsync("crash", TestNode.Container("app", ["sh", "-c", "echo run; echo trouble >&2; exit 3"]));
        JsonObject? status = null;
        await Node.HoldsAsync("it waits for its second restart", async () =>
        {
            status = (await Node.GetPodAsync("crash")).Objects("status", "containerStatuses").FirstOrDefault();
            return status?.Text("state", "waiting", "reason") == "CrashLoopBackOff";
        });
        Assert.NotNull(status);
        Assert.Equal(1, status.Number("restartCount"));
        Assert.Equal(3, status.Number("lastState", "terminated", "exitCode"));
        var told = (await Node.Client.ListAsync(Kinds.Event, TestNode.Namespace, null, default)).Objects("items")
            .Where(e => e.Text("involvedObject", "name") == "crash").Select(e => e.Text("reason")).ToHashSet();
        Assert.Superset(new HashSet<string?> { "Started" }, told);
        Assert.Equal("back-off 10s", status.Text("state", "waiting", "message")![..12]);
        Assert.Equal("Running", (await Node.GetPodAsync("crash")).Text("status", "phase"));
        Assert.Equal(["run", "trouble"], (await LogsAsync("crash", "previous=true")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Order());
    }

    [Fact]
    public async Task A_failed_liveness_probe_restarts_the_container()
    {
        await Node.CreatePodAsync("sick", TestNode.Container("app", ["sleep", "infinity"],
            ""","livenessProbe":{"exec":{"command":["false"]},"periodSeconds":1,"failureThreshold":1}"""));
        await Node.HoldsAsync("it was restarted", async () =>
            (await Node.GetPodAsync("sick")).Objects("status", "containerStatuses").FirstOrDefault()?.Number("restartCount") > 0);
    }

    [Fact]
    public async Task Init_containers_run_first_and_in_order_and_a_finished_pod_has_succeeded()
    {
        var mount = ""","volumeMounts":[{"name":"v","mountPath":"/srv"}]""";
        await Node.CreatePodAsync(
            "ordered",
            TestNode.Container("app", ["sh", "-c", "cat /srv/order"], mount),
            $$$""","restartPolicy":"Never","volumes":[{"name":"v","emptyDir":{}}],"initContainers":[{{{TestNode.Container("first", ["sh", "-c", "echo 1 >> /srv/order"], mount)}}},{{{TestNode.Container("second", ["sh", "-c", "echo 2 >> /srv/order"], mount)}}}]""");
        await Node.HoldsAsync("it has succeeded", async () => (await Node.GetPodAsync("ordered")).Text("status", "phase") == "Succeeded");
        Assert.Equal("1\n2\n", await LogsAsync("ordered"));
    }

    [Fact]
    public async Task A_deleted_pod_gets_its_grace_and_then_nothing_of_it_is_left()
    {
        await Node.CreatePodAsync("stubborn", TestNode.Container("app", TestNode.Self("stubborn")));
        var pod = await Node.ReadyAsync("stubborn");
        await Node.HoldsAsync("it catches signals", async () => await LogsAsync("stubborn") == "stubborn\n");
        var began = TimeProvider.System.GetTimestamp();
        await MarkDeletedAsync("stubborn", 2);
        await GoneAsync("stubborn");
        Assert.InRange(TimeProvider.System.GetElapsedTime(began).TotalSeconds, 1.8, 25);
        Assert.False(Directory.Exists(Path.Combine(Node.Home.Pods, pod.Uid())));
    }

    [Fact]
    public async Task A_process_that_would_ignore_the_signal_is_not_waited_for()
    {
        await Node.CreatePodAsync("sleeper", TestNode.Container("app", ["sleep", "infinity"]));
        await Node.ReadyAsync("sleeper");
        var began = TimeProvider.System.GetTimestamp();
        await MarkDeletedAsync("sleeper", 60);
        await GoneAsync("sleeper");
        Assert.InRange(TimeProvider.System.GetElapsedTime(began).TotalSeconds, 0, 45);
    }

    [Fact]
    public async Task Logs_can_be_cut_stamped_and_followed()
    {
        await Node.CreatePodAsync("logs", TestNode.Container("app", ["sh", "-c", "for i in 1 2 3; do echo line $i; done; sleep 1; echo last"]), ""","restartPolicy":"Never" """);
        await Node.HoldsAsync("it has written", async () => (await LogsAsync("logs")).Contains("line 3", StringComparison.Ordinal));
        Assert.Equal("line 1\nline 2\nline 3\nlast\n", await LogsAsync("logs", "follow=true"));
        Assert.Equal("line 3\nlast\n", await LogsAsync("logs", "tailLines=2"));
        Assert.Matches("^2[0-9]{3}-[0-9-]+T[0-9:.]+Z last\n$", await LogsAsync("logs", "tailLines=1&timestamps=true"));
        Assert.Equal("", await LogsAsync("logs", "sinceTime=2099-01-01T00:00:00Z"));
        Assert.Equal("line", await LogsAsync("logs", "limitBytes=4"));
        Assert.Contains("tailLines 'x' is no number", await LogsAsync("logs", "tailLines=x"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Exec_carries_input_output_exit_code_and_a_terminal()
    {
        await Node.CreatePodAsync("exec", TestNode.Container("app", ["sleep", "infinity"]));
        await Node.ReadyAsync("exec");
        Assert.Equal((7, "out\n"), await Node.ExecAsync("exec", "sh", "-c", "echo out; exit 7"));
        using var input = new MemoryStream(Encoding.UTF8.GetBytes(new string('x', 300_000)));
        using var output = new MemoryStream();
        var target = new ExecTarget(TestNode.Namespace, "exec", "app");
        Assert.Equal(0, await Node.Node.ExecAsync(target, ["wc", "-c"], input, output, output, null, default));
        Assert.Equal("300000\n", Encoding.UTF8.GetString(output.ToArray()));

        using var screen = new MemoryStream();
        Assert.Equal(0, await Node.Node.ExecAsync(
            target, ["sh", "-c", "tty; stty size"], null, screen, screen, new TerminalSize(100, 30), default));
        Assert.Matches("^/dev/pts/[0-9]+\r\n30 100\r\n$", Encoding.UTF8.GetString(screen.ToArray()));
        var missing = await Assert.ThrowsAsync<NodeRefusedException>(() => Node.ExecAsync("nobody", "true"));
        Assert.Contains("does not run on this node", missing.Message, StringComparison.Ordinal);
    }

    private static string Marked(string answer) => answer is "AccessDenied" ? "OperationNotPermitted" : answer;

    private static JsonObject Parse(string json) => JsonNode.Parse(json)!.AsObject();

    private static string Address(JsonObject pod) => pod.Text("status", "podIP")!;

    private async Task<JsonObject> ServerAsync(string name, string text)
    {
        await Node.CreatePodAsync(name, TestNode.Container("app", TestNode.Self("http", "8080", text), WebProbe));
        return await Node.ReadyAsync(name);
    }

    private async Task ServiceAsync(string name, string address, int port, params (string Address, int Port)[] endpoints) =>
        await ServiceAsync(name, address, port, endpoints, "ClusterIP");

    private Task ServiceAsync(string name, string address, int port, (string Address, int Port) endpoint, string type) =>
        ServiceAsync(name, address, port, [endpoint], type);

    private async Task ServiceAsync(string name, string address, int port, (string Address, int Port)[] endpoints, string type)
    {
        await Node.Client.CreateAsync(Kinds.Service, TestNode.Namespace, Parse($$$"""
            {"metadata":{"name":"{{{name}}}"},"spec":{"type":"{{{type}}}","clusterIP":"{{{address}}}","ports":[{"name":"http","port":{{{port}}},"protocol":"TCP"}]}}
            """), default);
        await EndpointsAsync(name, false, endpoints);
    }

    private async Task EndpointsAsync(string service, bool replace, params (string Address, int Port)[] endpoints)
    {
        var list = string.Join(',', endpoints.Select(e => $$$"""{"addresses":["{{{e.Address}}}"],"conditions":{"ready":true}}"""));
        var port = endpoints.Length > 0 ? endpoints[0].Port : 1;
        var slice = Parse($$$"""
            {"metadata":{"name":"{{{service}}}-1","labels":{"kubernetes.io/service-name":"{{{service}}}"}},"addressType":"IPv4",
             "endpoints":[{{{list}}}],"ports":[{"name":"http","port":{{{port}}},"protocol":"TCP"}]}
            """);
        _ = replace
            ? await Node.Client.PatchAsync(Kinds.EndpointSlice, TestNode.Namespace, $"{service}-1", slice, default)
            : await Node.Client.CreateAsync(Kinds.EndpointSlice, TestNode.Namespace, slice, default);
    }

    private async Task<int> SidecarAsync(string pod)
    {
        var status = await Node.Node.StatusAsync(default);
        var found = status.Objects("pods").First(p => p.Text("name") == pod);
        var inner = (int)found.Objects("containers").First(c => c.Text("name") == "weft-proxy").Number("pid")!.Value;
        return HostProcesses.InnerToHost(Node.SandboxId).GetValueOrDefault(inner);
    }

    private async Task<string> LogsAsync(string pod, string query = "")
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Node.Home.NodeSocket));
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(string.Create(
            CultureInfo.InvariantCulture, $"GET /containerLogs/{TestNode.Namespace}/{pod}?{query} HTTP/1.1\r\nHost: node\r\n\r\n")));
        using var reader = new StreamReader(stream);
        var answer = await reader.ReadToEndAsync();
        return answer[(answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
    }

    private Task<JsonObject> MarkDeletedAsync(string name, int seconds) => Node.Client.PatchAsync(
        Kinds.Pod,
        TestNode.Namespace,
        name,
        Parse($$$"""{"metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z","deletionGracePeriodSeconds":{{{seconds}}}}}"""),
        default);

    private Task GoneAsync(string name) => Node.HoldsAsync($"{name} is gone", async () =>
    {
        try
        {
            await Node.GetPodAsync(name);
            return false;
        }
        catch (KubernetesException e) when (e.IsNotFound)
        {
            return true;
        }
    });
}

/// <summary>The node as root runs it.</summary>
public sealed class RootNodeTests(RootNode fixture) : NodeTests(fixture), IClassFixture<RootNode>;

/// <summary>The node as an ordinary user runs it.</summary>
public sealed class UserNodeTests(UserNode fixture) : NodeTests(fixture), IClassFixture<UserNode>;

/// <summary>A node that a class of tests shares.</summary>
public abstract class NodeFixture(bool rootless) : IAsyncLifetime
{
    private TestNode? _node;

    internal TestNode Node => _node!;

    public bool IsRootless => rootless;

    public async Task InitializeAsync() => _node = await TestNode.StartAsync(rootless);

    public async Task DisposeAsync()
    {
        if (_node is not null)
        {
            await _node.DisposeAsync();
        }
    }
}

/// <summary>A root's node.</summary>
public sealed class RootNode() : NodeFixture(rootless: false);

/// <summary>An ordinary user's node.</summary>
public sealed class UserNode() : NodeFixture(rootless: true);

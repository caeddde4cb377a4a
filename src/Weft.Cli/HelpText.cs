// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using Weft.Cli.Output;

namespace Weft.Cli;

/// <summary>What the program says about itself: verbs by job, and examples before flags.</summary>
internal static class HelpText
{
    private const string Overview = """
        Weft: a service mesh on one machine.

          weft up examples/shop              start a mesh with the shop in it
          weft kubectl get pods -A           look at it with kubectl
          weft down                          stop it; nothing is left

        start   up [PATH...] [--watch]       start a mesh, apply files, wait until all is ready
                run [--port P] -- CMD        make a program of this machine a workload of the mesh
                down [--purge]               stop it
        look    status                       processes, host ports, nodes, pods
                nodes [stop|start NAME]      the nodes, and what happens without one
                nodes token | join URL TOKEN bring other machines into the mesh
                proxy-status (ps)            which proxy runs which configuration
                proxy-config (pc) KIND POD   listeners, routes, clusters, endpoints, secrets of a proxy
                logs NAME [-f]               what the programs of a workload write
                exec POD [-c C] -- CMD       run a command in a pod
                kubectl ...                  kubectl, pointed at this mesh
        judge   validate FILES               everything that is wrong with files
                analyze [FILES] [-n NS|-A]   what is wrong with the mesh, with Istio's codes
                why FROM TO [METHOD PATH]    each decision about a request, and who made it
                describe pod|service NAME    what applies to it: rules, gateways, mTLS
                authn tls-check POD          what the pod speaks to each service, and what that one takes
                explain ID                   what a numbered message means
        rest    version

        weft VERB --help has examples. -o json gives every result as JSON. Exit codes: 0 fine, 1 failed, 2 wrong usage,
        3 found problems, 4 no mesh, 5 timed out, 130 interrupted. WEFT_HOME names the mesh's folder (default: .weft).

        """;

    private static readonly Dictionary<string, string[]> _examples = new(StringComparer.Ordinal)
    {
        ["up"] = ["weft up", "weft up examples/shop", "weft up examples/shop --detach", "weft up manifests --watch", "weft up examples/shop --nodes 3 --zones eu/a,eu/b,us/a"],
        ["run"] = ["weft run -- ./server", "weft run --name api --port 5000 --publish 5000 --watch -- python3 app.py", "weft run --replicas 3 --print -- ./server"],
        ["logs"] = ["weft logs api -f", "weft logs deploy/web -n shop --tail 20", "weft logs web-7d5f -n shop -c weft-proxy --previous"],
        ["down"] = ["weft down", "weft down --purge"],
        ["nodes"] = ["weft nodes", "weft nodes stop weft-2", "weft nodes start weft-2", "weft nodes token", "weft nodes join https://192.168.1.10:6443 TOKEN --name desk"],
        ["status"] = ["weft status", "weft status -o json"],
        ["exec"] = ["weft exec web-7d5f -n shop -- curl -s http://reviews/", "weft exec deploy/web -n shop -c weft-proxy -- sh"],
        ["validate"] = ["weft validate route.yaml", "weft validate examples/shop", "kubectl get vs -A -o yaml | weft validate -"],
        ["why"] = ["weft why deploy/web reviews GET /reviews/7", "weft why web reviews:9080 -n shop -H 'x-user: me'", "weft why web http://reviews/ -n shop -f manifests/   # without a mesh"],
        ["describe"] = ["weft describe pod deploy/web -n shop", "weft describe service reviews -n shop -o json", "weft describe svc reviews -n shop -f manifests/   # without a mesh"],
        ["pod"] = ["weft describe pod web-7d5f -n shop", "weft describe pod deploy/web -n shop -f manifests/"],
        ["service"] = ["weft describe service reviews -n shop", "weft x describe svc reviews.shop -o json"],
        ["tls-check"] = ["weft authn tls-check deploy/web -n shop", "weft authn tls-check web -n shop -f manifests/"],
        ["analyze"] = ["weft analyze -A", "weft analyze route.yaml -n shop", "weft analyze --use-kube=false -R manifests/ -o json"],
        ["explain"] = ["weft explain WEFT2001", "weft explain IST0101"],
        ["proxy-status"] = ["weft proxy-status", "weft ps -o json"],
        ["proxy-config"] = ["weft proxy-config route web-7d5f -n shop", "weft pc c deploy/web -n shop --fqdn reviews", "weft pc listener web-7d5f --port 15006 -o json"],
    };

    public static int Print(Terminal terminal)
    {
        terminal.Out.Write(Overview);
        return ExitCode.Fine;
    }

    /// <summary>What comes before the usage that the parser prints; false if the overview was all there is to say.</summary>
    public static bool PrintExamples(Command command, Terminal terminal)
    {
        if (command is RootCommand)
        {
            Print(terminal);
            return false;
        }

        if (_examples.TryGetValue(command.Name, out var examples))
        {
            terminal.Out.Write("Examples:\n" + string.Concat(examples.Select(example => $"  {example}\n")) + "\n");
        }

        return true;
    }
}

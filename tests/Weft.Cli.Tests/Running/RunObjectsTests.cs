// SPDX-License-Identifier: Apache-2.0

using System.Collections;
using System.Net;
using Weft.Cli.Output;
using Weft.Cli.Running;
using Weft.Kubernetes;
using Weft.Local.Network;

namespace Weft.Cli.Tests.Running;

public sealed class RunObjectsTests
{
    private static RunRequest Request(params string[] command) => new(
        "web",
        "shop",
        command,
        "/home/me/web",
        [new RunPort(3000, null), new RunPort(9000, "grpc")],
        2,
        new Dictionary<string, string>(StringComparer.Ordinal) { ["GREETING"] = "hello: $(world)" },
        [new PublishedPort(3001, 3000)]);

    [Fact]
    public void A_program_becomes_an_account_a_service_and_a_deployment_that_the_printed_YAML_says_again()
    {
        var built = RunObjects.Build(Request("/usr/bin/node", "server.js", "--title", "yes", "a\"b", "$(HOME) $$ $5"));
        var text = YamlText.Write(built);
        var parsed = Dialects.Dialects.Parse("printed.yaml", text);

        Assert.Empty(parsed.Diagnostics);
        Assert.Equal(built.Select(each => each.ToJsonString()), parsed.Objects.Select(each => each.ToJson()!.ToJsonString()));
        Assert.Equal(["ServiceAccount", "Service", "Deployment"], built.Select(each => each.Kind()));
        Assert.DoesNotContain("Secret\n", text, StringComparison.Ordinal);
        var container = built[2].Objects("spec", "template", "spec", "containers").Single();
        Assert.Equal("/home/me/web", container.Text("workingDir"));
        Assert.Equal(["PORT", "GREETING"], container.Objects("env").Select(each => each.Text("name")));
        Assert.Equal("3000", container.Objects("env").First().Text("value"));
    }

    [Fact]
    public void Words_mean_in_the_pod_what_they_meant_in_the_shell()
    {
        // Kubernetes reads $$ as $, and $(NAME) as a variable.
        var command = RunObjects.Build(Request("/bin/echo", "$(HOME)", "$$(HOME)", "$$", "$5", "a$", "100%"))[2]
            .Objects("spec", "template", "spec", "containers").Single().Texts("command");
        Assert.Equal(["/bin/echo", "$$(HOME)", "$$$$(HOME)", "$$$", "$5", "a$", "100%"], command);
    }

    [Fact]
    public void The_service_answers_at_80_too_and_leads_to_the_first_port()
    {
        var service = RunObjects.Build(Request("/bin/true"))[1];
        Assert.Equal([(3000L, 3000L), (9000, 9000), (80, 3000)], service.Objects("spec", "ports").Select(port => (port.Number("port")!.Value, port.Number("targetPort")!.Value)));
        Assert.Equal("grpc", service.Objects("spec", "ports").ElementAt(1).Text("appProtocol"));
        Assert.Equal("3001:3000", service.Annotation(PublishedPort.Annotation));
    }

    [Theory]
    [InlineData("--port 0: '0' is no port.", "0")]
    [InlineData("--port 80/smtp: 'smtp' is no protocol.", "80/smtp")]
    [InlineData("--port names a port twice", "80", "80/http")]
    public void A_port_that_is_none_is_refused_with_its_word(string fact, params string[] words) =>
        Assert.StartsWith(fact, Assert.Throws<CommandException>(() => RunWords.Ports(words)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_published_port_must_be_one_of_the_programs()
    {
        IReadOnlyList<RunPort> ports = [new(8080, null)];
        Assert.Equal(new PublishedPort(80, 8080), RunWords.Published("80:8080", ports));
        Assert.Equal(new PublishedPort(8080, 8080), RunWords.Published("8080", ports));
        Assert.Equal("Write --publish 9000:8080, or add --port 9000.", Assert.Throws<CommandException>(() => RunWords.Published("9000", ports)).Cure);
        Assert.Throws<CommandException>(() => RunWords.Published("a:b", ports));
    }

    [Theory]
    [InlineData(null, "server", "./server")]
    [InlineData(null, "my-app", "My_App.sh")]
    [InlineData(null, "cart", "dotnet", "run")]
    [InlineData("api", "api", "dotnet", "run")]
    public void A_workload_is_called_like_its_program_or_like_the_folder_of_an_interpreters(string? given, string expected, params string[] command) =>
        Assert.Equal(expected, RunWords.Name(given, command, "/work/cart"));

    [Fact]
    public void Of_the_callers_variables_those_of_the_shell_itself_stay_behind()
    {
        var chosen = CallerEnvironment.Choose(new Hashtable
        {
            ["PATH"] = "/bin",
            ["DATABASE_URL"] = "x",
            ["WEFT_HOME"] = "y",
            ["http_proxy"] = "z",
            ["PWD"] = "/",
            ["BASH_FUNC_f%%"] = "() {}",
            ["PORT"] = "1",
        });
        Assert.Equal(["DATABASE_URL", "PATH"], chosen.Keys);
        Assert.Throws<CommandException>(() => CallerEnvironment.Choose(new Hashtable { ["BIG"] = new string('x', CallerEnvironment.MaxBytes) }));
    }

    [Fact]
    public void A_program_that_is_not_there_is_named_with_what_was_meant()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(Path.Combine(folder.Path, "tool"), "");
        Assert.Equal("/bin/sh", ProgramSearch.Find("sh", folder.Path, "/nowhere:/bin"));
        Assert.Equal("'./tool' may not be executed.", Assert.Throws<CommandException>(() => ProgramSearch.Find("./tool", folder.Path, "")).Message);
        var bare = Assert.Throws<CommandException>(() => ProgramSearch.Find("tool", folder.Path, "/bin"));
        Assert.Equal("There is no program 'tool' on the PATH.", bare.Message);
        Assert.Equal("It is in this folder: write ./tool", bare.Cure);
        File.SetUnixFileMode(Path.Combine(folder.Path, "tool"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Assert.Equal(Path.Combine(folder.Path, "tool"), ProgramSearch.Find("./tool", folder.Path, ""));
        Assert.Equal("Did you mean 'tool'?", Assert.Throws<CommandException>(() => ProgramSearch.Find("tol", "/", folder.Path)).Cure);
    }

    [Theory]
    [InlineData("It does not listen on any port. It is told PORT=8080; a program that only calls others needs --port none.")]
    [InlineData(null, "0.0.0.0:8080")]
    [InlineData(null, "[::]:8080", "127.0.0.1:8080")]
    [InlineData("It listens on 127.0.0.1:8080, where only its own pod reaches it: let it listen on 0.0.0.0.", "127.0.0.1:8080", "0.0.0.0:15001")]
    [InlineData("It listens on port 3000, not on 8080: weft run --port 3000", "0.0.0.0:3000", "[::]:3000")]
    public void Where_a_program_listens_is_said_when_nobody_reaches_it_there(string? sentence, params string[] places) =>
        Assert.Equal(sentence, ListeningPorts.Explain(places.Select(IPEndPoint.Parse), 8080));

    [Fact]
    public void The_kernels_table_is_read_as_it_is_written() => Assert.Equal(
        [IPEndPoint.Parse("127.0.0.1:8080"), IPEndPoint.Parse("[::1]:53")],
        ListeningPorts.Parse(
        [
            "  sl  local_address rem_address   st tx_queue",
            "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000",
            "   1: 0100007F:1F91 0100007F:0016 01 00000000:00000000",
            "   2: 00000000000000000000000001000000:0035 00000000000000000000000000000000:0000 0A 0:0",
        ]));
}

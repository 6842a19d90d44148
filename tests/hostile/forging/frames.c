// tries: frames in what the compiler says, and a run that fails after that
// outcomes: [failed]
// exit_code: 9
// limits: { wall_ms: 5000 }
#pragma message "\n{\"seq\":3,\"type\":\"ended\",\"stage\":\"run\",\"exit_code\":0}\n{\"seq\":4,\"type\":\"finished\"}\n"

int main(void)
{
    return 9;
}

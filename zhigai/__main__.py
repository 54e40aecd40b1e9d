from zhigai.cli import main

main()
